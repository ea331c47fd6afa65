-- +goose Up

-- The same tables as SQLite has: instants are microseconds since 1970 UTC, money
-- is minor units beside its ISO 4217 code, flags are 0 or 1, lists are JSON
-- text. Peculiar to Postgres: what is looked up or sorted by is compared byte by
-- byte (COLLATE "C"), counts are as wide as Go's, and SDP is bytes.

CREATE TABLE customers (
    id              TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version         BIGINT   NOT NULL,
    name            TEXT     NOT NULL,
    language        TEXT     NOT NULL,
    country         TEXT     NOT NULL,
    zone            TEXT     NOT NULL,
    segment         TEXT     NOT NULL,
    key_account     BIGINT   NOT NULL,
    customer_since  TEXT     NOT NULL,
    yearly_minor    BIGINT,
    yearly_currency TEXT,
    churn_risk      BIGINT  ,
    churn_reasons   TEXT     NOT NULL,
    heed            TEXT     NOT NULL,
    consent_phone   BIGINT  ,
    consent_mail    BIGINT  ,
    consent_sms     BIGINT  ,
    consent_rec     BIGINT  ,
    manager         TEXT     NOT NULL,
    manager_name    TEXT     NOT NULL,
    last_agent      TEXT     NOT NULL,
    last_agent_name TEXT     NOT NULL,
    last_agent_at   BIGINT,
    earlier         BIGINT   NOT NULL, -- contacts known by number only, beyond the rows of interactions
    others          TEXT     NOT NULL,
    source_hash     TEXT     NOT NULL, -- of the record as it was last given from outside
    changed_at      BIGINT   NOT NULL
);

CREATE TABLE customer_numbers (
    e164     TEXT COLLATE "C" NOT NULL,
    customer TEXT COLLATE "C" NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    label    TEXT     NOT NULL,
    ord      BIGINT   NOT NULL,
    PRIMARY KEY (e164, customer)
);
CREATE INDEX customer_numbers_customer ON customer_numbers (customer, ord);

CREATE TABLE billing (
    customer           TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES customers (id) ON DELETE CASCADE,
    balance_minor      BIGINT  NOT NULL,
    balance_currency   TEXT    NOT NULL,
    overdue_minor      BIGINT,
    overdue_currency   TEXT,
    overdue_days       BIGINT  NOT NULL,
    last_bill_minor    BIGINT,
    last_bill_currency TEXT,
    last_bill_on       TEXT    NOT NULL,
    paid_on            TEXT    NOT NULL,
    next_bill_on       TEXT    NOT NULL,
    we_owe_minor       BIGINT,
    we_owe_currency    TEXT,
    we_owe_since       TEXT    NOT NULL,
    source             TEXT    NOT NULL,
    read_at            BIGINT  NOT NULL
);

CREATE TABLE products (
    customer       TEXT COLLATE "C" NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    id             TEXT COLLATE "C" NOT NULL,
    ord            BIGINT   NOT NULL,
    kind           TEXT     NOT NULL,
    name           TEXT     NOT NULL,
    detail         TEXT     NOT NULL,
    status         TEXT     NOT NULL,
    note           TEXT     NOT NULL,
    price_minor    BIGINT,
    price_currency TEXT,
    PRIMARY KEY (customer, id)
);

CREATE TABLE tickets (
    customer  TEXT COLLATE "C" NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    id        TEXT COLLATE "C" NOT NULL,
    title     TEXT   NOT NULL,
    detail    TEXT   NOT NULL,
    topic     TEXT   NOT NULL,
    kind      TEXT   NOT NULL,
    status    TEXT   NOT NULL,
    opened_at BIGINT NOT NULL,
    due_at    BIGINT,
    closed_at BIGINT,
    PRIMARY KEY (customer, id)
);

-- No reference to customers: a contact with somebody whose record lives in
-- another system, or with a caller who stayed unknown (''), is kept too.
CREATE TABLE interactions (
    customer    TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL,
    at          BIGINT  NOT NULL,
    channel     TEXT    NOT NULL,
    title       TEXT    NOT NULL,
    detail      TEXT    NOT NULL,
    topic       TEXT    NOT NULL,
    agent       TEXT    NOT NULL,
    agent_name  TEXT    NOT NULL,
    note        TEXT    NOT NULL,
    disposition TEXT    NOT NULL,
    duration_s  BIGINT  NOT NULL,
    call        BIGINT,
    attempt     BIGINT ,
    promised_by BIGINT,
    kept        BIGINT  ,
    PRIMARY KEY (customer, id)
);
CREATE INDEX interactions_customer_at ON interactions (customer, at);
CREATE UNIQUE INDEX interactions_call ON interactions (call, attempt);

CREATE TABLE answers (
    id    TEXT COLLATE "C" NOT NULL,
    lang  TEXT COLLATE "C" NOT NULL,
    topic TEXT    NOT NULL,
    title TEXT    NOT NULL,
    say   TEXT    NOT NULL,
    steps TEXT    NOT NULL,
    ord   BIGINT  NOT NULL,
    PRIMARY KEY (id, lang)
);

CREATE TABLE users (
    id            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    role          TEXT   NOT NULL,
    name          TEXT   NOT NULL,
    password_hash TEXT   NOT NULL,
    changed_at    BIGINT NOT NULL
);

CREATE TABLE sessions (
    token_hash TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id    TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (expires_at);

CREATE TABLE calls (
    call           BIGINT   NOT NULL PRIMARY KEY,
    public_id      TEXT COLLATE "C" NOT NULL UNIQUE,
    trunk          TEXT     NOT NULL,
    number         TEXT     NOT NULL,
    dialled        TEXT     NOT NULL,
    customer       TEXT COLLATE "C" NOT NULL,
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
    transfers      BIGINT   NOT NULL,
    offers         BIGINT   NOT NULL,
    disposition    TEXT     NOT NULL,
    has_note       BIGINT   NOT NULL,
    policy_version BIGINT   NOT NULL,
    CHECK ((ended_at IS NULL AND outcome = '') OR
           (ended_at IS NOT NULL AND outcome IN ('answered', 'abandoned', 'treated', 'rejected', 'failed')))
);
CREATE INDEX calls_outcome ON calls (outcome);
CREATE INDEX calls_arrived ON calls (arrived_at);
CREATE INDEX calls_customer ON calls (customer, arrived_at);

CREATE TABLE call_events (
    call    BIGINT  NOT NULL REFERENCES calls (call) ON DELETE CASCADE,
    seq     BIGINT  NOT NULL,
    at      BIGINT  NOT NULL,
    kind    TEXT    NOT NULL,
    agent   TEXT    NOT NULL,
    attempt BIGINT  NOT NULL,
    data    TEXT    NOT NULL,
    PRIMARY KEY (call, seq)
);

CREATE TABLE dialogs (
    call       BIGINT NOT NULL,
    leg        TEXT COLLATE "C" NOT NULL,
    agent      TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    local_sdp  BYTEA   NOT NULL,
    remote_sdp BYTEA   NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (call, leg)
);

CREATE TABLE counters (
    name  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);

-- +goose Down

DROP TABLE counters;
DROP TABLE dialogs;
DROP TABLE call_events;
DROP TABLE calls;
DROP TABLE sessions;
DROP TABLE users;
DROP TABLE answers;
DROP TABLE interactions;
DROP TABLE tickets;
DROP TABLE products;
DROP TABLE billing;
DROP TABLE customer_numbers;
DROP TABLE customers;
