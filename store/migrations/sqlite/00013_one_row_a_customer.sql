-- +goose Up

-- A look-up reads two places of the file and not five: a number's row has the
-- customer's key, and the row under that key, beside what else is known of the
-- customer himself, his record in one piece (which the table documents had). The
-- table is made anew, since only then can a key be the order in which rows lie.
-- Foreign keys are off while schemas are migrated: who refers to a customer does
-- so by his id, which stays.
CREATE TABLE new_customers (
    key             INTEGER  NOT NULL PRIMARY KEY, -- where the row lies; within this database only
    id              TEXT     NOT NULL UNIQUE,
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
    earlier         BIGINT   NOT NULL,
    others          TEXT     NOT NULL,
    traits          TEXT     NOT NULL,
    source_hash     TEXT     NOT NULL,
    changed_at      BIGINT   NOT NULL,
    billed_at       BIGINT,
    -- The record in one piece, as docs/adr/0025 says; all NULL where there is none.
    doc_version     BIGINT,
    doc_contacts    BIGINT,
    doc_own         BIGINT,
    doc_added       SMALLINT,
    record          TEXT,
    history         TEXT
);
INSERT INTO new_customers (id, version, name, language, country, zone, segment, key_account, customer_since,
        yearly_minor, yearly_currency, churn_risk, churn_reasons, heed, consent_phone, consent_mail, consent_sms, consent_rec,
        manager, manager_name, last_agent, last_agent_name, last_agent_at, earlier, others, traits, source_hash, changed_at, billed_at,
        doc_version, doc_contacts, doc_own, doc_added, record, history)
    SELECT c.id, c.version, c.name, c.language, c.country, c.zone, c.segment, c.key_account, c.customer_since,
        c.yearly_minor, c.yearly_currency, c.churn_risk, c.churn_reasons, c.heed, c.consent_phone, c.consent_mail, c.consent_sms, c.consent_rec,
        c.manager, c.manager_name, c.last_agent, c.last_agent_name, c.last_agent_at, c.earlier, c.others, c.traits, c.source_hash, c.changed_at, c.billed_at,
        d.version, d.contacts, d.own, d.added, d.record, d.history
    FROM customers c LEFT JOIN documents d ON d.customer = c.id ORDER BY c.rowid;

CREATE TABLE new_numbers (
    e164     TEXT     NOT NULL,
    customer TEXT     NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    label    TEXT     NOT NULL,
    ord      SMALLINT NOT NULL,
    key      BIGINT   NOT NULL, -- the customer's
    PRIMARY KEY (e164, customer)
) WITHOUT ROWID;
INSERT INTO new_numbers (e164, customer, label, ord, key)
    SELECT n.e164, n.customer, n.label, n.ord, c.key FROM customer_numbers n JOIN new_customers c ON c.id = n.customer
    ORDER BY n.e164, n.customer;

DROP TABLE documents;
DROP TABLE customer_numbers;
DROP TABLE customers;
ALTER TABLE new_customers RENAME TO customers;
ALTER TABLE new_numbers RENAME TO customer_numbers;
CREATE INDEX customer_numbers_customer ON customer_numbers (customer, ord);
INSERT INTO counters (name, value) SELECT 'customers', COALESCE(MAX(key), 0) FROM customers;

-- +goose Down

DELETE FROM counters WHERE name = 'customers';
CREATE TABLE documents (
    customer TEXT     NOT NULL PRIMARY KEY REFERENCES customers (id) ON DELETE CASCADE,
    version  BIGINT   NOT NULL,
    contacts BIGINT   NOT NULL,
    own      BIGINT   NOT NULL,
    added    SMALLINT NOT NULL,
    record   TEXT     NOT NULL,
    history  TEXT     NOT NULL
);
INSERT INTO documents SELECT id, doc_version, doc_contacts, doc_own, doc_added, record, history FROM customers WHERE record IS NOT NULL;
CREATE TABLE old_customers (
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
    earlier         BIGINT   NOT NULL,
    others          TEXT     NOT NULL,
    source_hash     TEXT     NOT NULL,
    changed_at      BIGINT   NOT NULL,
    billed_at       BIGINT,
    traits          TEXT     NOT NULL DEFAULT ''
);
INSERT INTO old_customers SELECT id, version, name, language, country, zone, segment, key_account, customer_since,
        yearly_minor, yearly_currency, churn_risk, churn_reasons, heed, consent_phone, consent_mail, consent_sms, consent_rec,
        manager, manager_name, last_agent, last_agent_name, last_agent_at, earlier, others, source_hash, changed_at, billed_at, traits
    FROM customers ORDER BY key;
CREATE TABLE old_numbers (
    e164     TEXT     NOT NULL,
    customer TEXT     NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    label    TEXT     NOT NULL,
    ord      SMALLINT NOT NULL,
    PRIMARY KEY (e164, customer)
);
INSERT INTO old_numbers SELECT e164, customer, label, ord FROM customer_numbers;
DROP TABLE customer_numbers;
DROP TABLE customers;
ALTER TABLE old_customers RENAME TO customers;
ALTER TABLE old_numbers RENAME TO customer_numbers;
CREATE INDEX customer_numbers_customer ON customer_numbers (customer, ord);
