-- +goose Up

-- The ledger of calls in the order of their numbers: what a call's row costs is
-- the indexes that change with it. A call is found by its number, by when it
-- arrived, and while it is open. Nobody looked calls up by customer or public id,
-- and an outcome is counted over the whole table with or without an index.
ALTER TABLE call_events RENAME TO old_events;
ALTER TABLE calls RENAME TO old_calls;
DROP INDEX calls_outcome;
DROP INDEX calls_arrived;
DROP INDEX calls_customer;

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
    CHECK ((ended_at IS NULL AND outcome = '') OR
           (ended_at IS NOT NULL AND outcome IN ('answered', 'abandoned', 'treated', 'rejected', 'failed')))
);
INSERT INTO calls SELECT * FROM old_calls ORDER BY call;
CREATE INDEX calls_open ON calls (call) WHERE outcome = '';
CREATE INDEX calls_arrived ON calls (arrived_at);

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

DROP INDEX calls_open;
CREATE INDEX calls_outcome ON calls (outcome);
CREATE INDEX calls_customer ON calls (customer, arrived_at);
