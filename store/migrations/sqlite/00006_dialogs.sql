-- +goose Up

-- A leg has a place, which the next one takes when it has ended: so many rows are
-- written over where as many more were written and removed. What stood here is
-- of calls that no server can go on with: a start removes it.
DROP TABLE dialogs;
CREATE TABLE dialogs (
    slot       INTEGER NOT NULL PRIMARY KEY,
    call       BIGINT NOT NULL,
    leg        TEXT   NOT NULL,
    agent      TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    local_sdp  TEXT   NOT NULL,
    remote_sdp TEXT   NOT NULL,
    updated_at BIGINT NOT NULL
);

-- +goose Down

DROP TABLE dialogs;
CREATE TABLE dialogs (
    call       BIGINT NOT NULL,
    leg        TEXT NOT NULL,
    agent      TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    local_sdp  TEXT   NOT NULL,
    remote_sdp TEXT   NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (call, leg)
);
