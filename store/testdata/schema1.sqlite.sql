BEGIN TRANSACTION;
CREATE TABLE answers (
    id    TEXT    NOT NULL,
    lang  TEXT    NOT NULL,
    topic TEXT    NOT NULL,
    title TEXT    NOT NULL,
    say   TEXT    NOT NULL,
    steps TEXT    NOT NULL,
    ord   INTEGER NOT NULL,
    PRIMARY KEY (id, lang)
);
INSERT INTO "answers" VALUES('drops','en','line_fault','Evening drops','That is our side.','["Run the line test"]',1);
CREATE TABLE billing (
    customer           TEXT    NOT NULL PRIMARY KEY REFERENCES customers (id) ON DELETE CASCADE,
    balance_minor      BIGINT  NOT NULL,
    balance_currency   TEXT    NOT NULL,
    overdue_minor      BIGINT,
    overdue_currency   TEXT,
    overdue_days       INTEGER NOT NULL,
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
INSERT INTO "billing" VALUES('LW-1',-6420,'GBP',NULL,NULL,0,NULL,NULL,'','','',NULL,NULL,'','billing',1763560000000000);
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
INSERT INTO "call_events" VALUES(1,1,1763559900000000,'arrived','',0,'');
INSERT INTO "call_events" VALUES(1,2,1763560061000000,'end_call','',0,'{"outcome":"answered"}');
INSERT INTO "call_events" VALUES(2,1,1763560100000000,'arrived','',0,'');
CREATE TABLE calls (
    call           BIGINT   NOT NULL PRIMARY KEY,
    public_id      TEXT     NOT NULL UNIQUE,
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
INSERT INTO "calls" VALUES(1,'019a9cf0-0000-7000-8000-000000000001','main','+447700900417','+442079460100','LW-1','care','net','line_fault','anna',1763559900000000,1763559901000000,1763559901000000,1763560000000000,1763560061000000,99000000,61000000,'answered','caller','',0,1,'fixed',1,3);
INSERT INTO "calls" VALUES(2,'019a9cf0-0000-7000-8000-000000000002','main','','+442079460100','','','','','',1763560100000000,NULL,NULL,NULL,NULL,0,0,'','','',0,0,'',0,0);
CREATE TABLE counters (
    name  TEXT   NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO "counters" VALUES('calls',1000);
CREATE TABLE customer_numbers (
    e164     TEXT     NOT NULL,
    customer TEXT     NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    label    TEXT     NOT NULL,
    ord      SMALLINT NOT NULL,
    PRIMARY KEY (e164, customer)
);
INSERT INTO "customer_numbers" VALUES('+447700900417','LW-1','mobile',0);
CREATE TABLE customers (
    id              TEXT     NOT NULL PRIMARY KEY,
    version         BIGINT   NOT NULL,
    name            TEXT     NOT NULL,
    language        TEXT     NOT NULL,
    country         TEXT     NOT NULL,
    zone            TEXT     NOT NULL,
    segment         TEXT     NOT NULL,
    key_account     SMALLINT NOT NULL,
    customer_since  TEXT     NOT NULL,
    yearly_minor    BIGINT,
    yearly_currency TEXT,
    churn_risk      SMALLINT,
    churn_reasons   TEXT     NOT NULL,
    heed            TEXT     NOT NULL,
    consent_phone   SMALLINT,
    consent_mail    SMALLINT,
    consent_sms     SMALLINT,
    consent_rec     SMALLINT,
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
INSERT INTO "customers" VALUES('LW-1',3,'Dana Whitcombe','en','GB','Europe/London','gold',1,'2019-04-01',1200000,'GBP',70,'["price"]','["Hard of hearing"]',1,0,NULL,NULL,'petar','Petar Kolev','anna','Anna',1763560000000000,4,'','a1',1763560000000000);
CREATE TABLE dialogs (
    call       BIGINT NOT NULL,
    leg        TEXT   NOT NULL,
    agent      TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    local_sdp  TEXT   NOT NULL,
    remote_sdp TEXT   NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (call, leg)
);
CREATE TABLE goose_db_version (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
INSERT INTO "goose_db_version" VALUES(1,0,1,'2026-11-19 14:00:00');
INSERT INTO "goose_db_version" VALUES(2,1,1,'2026-11-19 14:00:00');
CREATE TABLE interactions (
    customer    TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    at          BIGINT  NOT NULL,
    channel     TEXT    NOT NULL,
    title       TEXT    NOT NULL,
    detail      TEXT    NOT NULL,
    topic       TEXT    NOT NULL,
    agent       TEXT    NOT NULL,
    agent_name  TEXT    NOT NULL,
    note        TEXT    NOT NULL,
    disposition TEXT    NOT NULL,
    duration_s  INTEGER NOT NULL,
    call        BIGINT,
    attempt     INTEGER,
    promised_by BIGINT,
    kept        SMALLINT,
    PRIMARY KEY (customer, id)
);
INSERT INTO "interactions" VALUES('LW-1','call-1-1',1763560000000000,'call','line_fault','','line_fault','anna','anna','Drops 20 to 22 h.','fixed',61,1,1,NULL,NULL);
CREATE TABLE products (
    customer       TEXT     NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    id             TEXT     NOT NULL,
    ord            SMALLINT NOT NULL,
    kind           TEXT     NOT NULL,
    name           TEXT     NOT NULL,
    detail         TEXT     NOT NULL,
    status         TEXT     NOT NULL,
    note           TEXT     NOT NULL,
    price_minor    BIGINT,
    price_currency TEXT,
    PRIMARY KEY (customer, id)
);
INSERT INTO "products" VALUES('LW-1','P1',0,'fibre','Fibre 500','','active','',3900,'GBP');
CREATE TABLE sessions (
    token_hash TEXT   NOT NULL PRIMARY KEY,
    user_id    TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
INSERT INTO "sessions" VALUES('h1','anna',1763550000000000,9000000000000000);
CREATE TABLE tickets (
    customer  TEXT   NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    id        TEXT   NOT NULL,
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
INSERT INTO "tickets" VALUES('LW-1','T-48213','Evening drops','','line_fault','fault','open',1763550000000000,NULL,NULL);
CREATE TABLE users (
    id            TEXT   NOT NULL PRIMARY KEY,
    role          TEXT   NOT NULL,
    name          TEXT   NOT NULL,
    password_hash TEXT   NOT NULL,
    changed_at    BIGINT NOT NULL
);
INSERT INTO "users" VALUES('anna','agent','Anna Berg','$argon2id$x',1763550000000000);
CREATE INDEX customer_numbers_customer ON customer_numbers (customer, ord);
CREATE INDEX interactions_customer_at ON interactions (customer, at);
CREATE UNIQUE INDEX interactions_call ON interactions (call, attempt);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (expires_at);
CREATE INDEX calls_outcome ON calls (outcome);
CREATE INDEX calls_arrived ON calls (arrived_at);
CREATE INDEX calls_customer ON calls (customer, arrived_at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('goose_db_version',2);
COMMIT;
