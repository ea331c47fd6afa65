-- +goose Up

-- Requests that are tracked to their closure. No reference to customers: the record
-- may live in another system, or whoever asks is none yet and has a number alone.
CREATE TABLE requests (
    ref       TEXT    NOT NULL PRIMARY KEY,
    kind      TEXT    NOT NULL,
    title     TEXT    NOT NULL,
    detail    TEXT    NOT NULL,
    customer  TEXT    NOT NULL,
    number    TEXT    NOT NULL,
    source    TEXT    NOT NULL,
    source_id TEXT    NOT NULL,
    opened_by TEXT    NOT NULL,
    call      BIGINT,
    opened_at BIGINT  NOT NULL,
    state     TEXT    NOT NULL CHECK (state IN ('open', 'waiting', 'closed')),
    outcome   TEXT    NOT NULL,
    closed_at BIGINT,
    owner     TEXT    NOT NULL,
    team      TEXT    NOT NULL,
    due_at    BIGINT  NOT NULL,
    left_us   BIGINT,
    level     INTEGER NOT NULL,
    next_at   BIGINT,
    task_of   TEXT    NOT NULL,
    task_at   BIGINT
);
CREATE UNIQUE INDEX requests_source ON requests (source, source_id) WHERE source <> '';
CREATE INDEX requests_customer ON requests (customer) WHERE customer <> '';
CREATE INDEX requests_number ON requests (number) WHERE number <> '';
CREATE INDEX requests_open ON requests (due_at) WHERE state <> 'closed';
CREATE INDEX requests_next ON requests (next_at) WHERE next_at IS NOT NULL;

CREATE TABLE request_steps (
    ref   TEXT     NOT NULL REFERENCES requests (ref) ON DELETE CASCADE,
    seq   INTEGER  NOT NULL,
    at    BIGINT   NOT NULL,
    who   TEXT     NOT NULL,
    kind  TEXT     NOT NULL,
    word  TEXT     NOT NULL,
    shown SMALLINT NOT NULL,
    PRIMARY KEY (ref, seq)
);

-- What is to be told to whom, until it is sent or given up.
CREATE TABLE notices (
    id      TEXT    NOT NULL PRIMARY KEY,
    ref     TEXT    NOT NULL REFERENCES requests (ref) ON DELETE CASCADE,
    what    TEXT    NOT NULL,
    who     TEXT    NOT NULL,
    channel TEXT    NOT NULL,
    made_at BIGINT  NOT NULL,
    state   TEXT    NOT NULL CHECK (state IN ('waiting', 'sent', 'dead')),
    tries   INTEGER NOT NULL,
    next_at BIGINT  NOT NULL,
    why     TEXT    NOT NULL
);
CREATE INDEX notices_ref ON notices (ref);
CREATE INDEX notices_waiting ON notices (next_at) WHERE state = 'waiting';

-- Where a user is told of what waits for him.
ALTER TABLE users ADD COLUMN mail TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN mobile TEXT NOT NULL DEFAULT '';

-- +goose Down

ALTER TABLE users DROP COLUMN mobile;
ALTER TABLE users DROP COLUMN mail;
DROP TABLE notices;
DROP TABLE request_steps;
DROP TABLE requests;
