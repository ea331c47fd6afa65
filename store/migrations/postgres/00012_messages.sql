-- +goose Up

-- What callers have left in mailboxes, and its sound: apart, so that a list reads
-- none of it.
CREATE TABLE messages (
    call       BIGINT  NOT NULL PRIMARY KEY,
    mailbox    TEXT    NOT NULL,
    queue      TEXT    NOT NULL,
    language   TEXT    NOT NULL,
    left_at    BIGINT  NOT NULL,
    length_ms  BIGINT  NOT NULL,
    state      TEXT    NOT NULL,
    changed_by TEXT    NOT NULL,
    changed_at BIGINT,
    CHECK (state IN ('new', 'heard', 'done'))
);
CREATE INDEX messages_left ON messages (left_at);

CREATE TABLE message_sounds (
    call BIGINT NOT NULL PRIMARY KEY REFERENCES messages (call) ON DELETE CASCADE,
    wav  BYTEA  NOT NULL
);

-- +goose Down

DROP TABLE message_sounds;
DROP TABLE messages;
