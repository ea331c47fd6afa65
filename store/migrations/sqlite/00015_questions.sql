-- +goose Up

-- What an agent asks a colleague is a call of its own, and ends as no other does.
ALTER TABLE call_events RENAME TO old_events;
ALTER TABLE calls RENAME TO old_calls;
DROP INDEX calls_open;
DROP INDEX calls_arrived;
DROP INDEX calls_number;

CREATE TABLE calls (
    call           INTEGER  NOT NULL PRIMARY KEY,
    public_id      TEXT     NOT NULL,
    trunk          TEXT     NOT NULL,
    number         TEXT     NOT NULL,
    dialled        TEXT     NOT NULL,
    customer       TEXT     NOT NULL,
    queue          TEXT     NOT NULL,
    rule           TEXT     NOT NULL,
    topic          TEXT     NOT NULL,
    agent          TEXT     NOT NULL,
    arrived_at     BIGINT   NOT NULL,
    answered_at    BIGINT,
    queued_at      BIGINT,
    talk_at        BIGINT,
    ended_at       BIGINT,
    wait_us        BIGINT   NOT NULL,
    talk_us        BIGINT   NOT NULL,
    outcome        TEXT     NOT NULL,
    ended_by       TEXT     NOT NULL,
    reason         TEXT     NOT NULL,
    transfers      INTEGER  NOT NULL,
    offers         INTEGER  NOT NULL,
    disposition    TEXT     NOT NULL,
    has_note       SMALLINT NOT NULL,
    policy_version INTEGER  NOT NULL,
    callback_number TEXT    NOT NULL DEFAULT '',
    CHECK ((ended_at IS NULL AND outcome = '') OR
           (ended_at IS NOT NULL AND outcome IN ('answered', 'abandoned', 'treated', 'rejected', 'failed', 'taken_over', 'expired', 'consulted')))
);
INSERT INTO calls SELECT * FROM old_calls ORDER BY call;
CREATE INDEX calls_open ON calls (call) WHERE outcome = '';
CREATE INDEX calls_arrived ON calls (arrived_at);
CREATE INDEX calls_number ON calls (number, arrived_at) WHERE number <> '';

CREATE TABLE call_events (
    call    BIGINT  NOT NULL REFERENCES calls (call) ON DELETE CASCADE,
    seq     BIGINT  NOT NULL,
    at      BIGINT  NOT NULL,
    kind    TEXT    NOT NULL,
    agent   TEXT    NOT NULL,
    attempt INTEGER NOT NULL,
    data    TEXT    NOT NULL,
    PRIMARY KEY (call, seq)
);
INSERT INTO call_events SELECT * FROM old_events ORDER BY call, seq;

DROP TABLE old_events;
DROP TABLE old_calls;

-- +goose Down

-- Only a new outcome is allowed; what has it keeps it.
SELECT 1;
