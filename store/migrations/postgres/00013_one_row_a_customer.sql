-- +goose Up

-- A look-up reads one index and two places of a table, and not five of each: a
-- number's entry in its index has the customer's key, and the row under that key,
-- beside what else is known of the customer himself, his record in one piece
-- (which the table documents had). The tables are made anew: rows that were
-- changed one by one would leave as much room behind them.
ALTER TABLE billing DROP CONSTRAINT billing_customer_fkey;
ALTER TABLE products DROP CONSTRAINT products_customer_fkey;
ALTER TABLE tickets DROP CONSTRAINT tickets_customer_fkey;

CREATE TABLE new_customers (
    key             BIGINT   NOT NULL, -- where the row lies; within this database only
    id              TEXT COLLATE "C" NOT NULL,
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
    doc_added       BIGINT  ,
    record          TEXT,
    history         TEXT
) WITH (toast_tuple_target = 8160, fillfactor = 90); -- in the row itself and not compressed: reading is what counts
ALTER TABLE new_customers ALTER COLUMN record SET STORAGE EXTERNAL;
ALTER TABLE new_customers ALTER COLUMN history SET STORAGE EXTERNAL;
INSERT INTO new_customers (key, id, version, name, language, country, zone, segment, key_account, customer_since,
        yearly_minor, yearly_currency, churn_risk, churn_reasons, heed, consent_phone, consent_mail, consent_sms, consent_rec,
        manager, manager_name, last_agent, last_agent_name, last_agent_at, earlier, others, traits, source_hash, changed_at, billed_at,
        doc_version, doc_contacts, doc_own, doc_added, record, history)
    SELECT ROW_NUMBER() OVER (), c.id, c.version, c.name, c.language, c.country, c.zone, c.segment, c.key_account, c.customer_since,
        c.yearly_minor, c.yearly_currency, c.churn_risk, c.churn_reasons, c.heed, c.consent_phone, c.consent_mail, c.consent_sms, c.consent_rec,
        c.manager, c.manager_name, c.last_agent, c.last_agent_name, c.last_agent_at, c.earlier, c.others, c.traits, c.source_hash, c.changed_at, c.billed_at,
        d.version, d.contacts, d.own, d.added, d.record, d.history
    FROM customers c LEFT JOIN documents d ON d.customer = c.id;
ALTER TABLE new_customers ADD CONSTRAINT new_customers_pkey PRIMARY KEY (key);
ALTER TABLE new_customers ADD CONSTRAINT new_customers_id_key UNIQUE (id);

CREATE TABLE new_numbers (
    e164     TEXT COLLATE "C" NOT NULL,
    customer TEXT COLLATE "C" NOT NULL,
    label    TEXT     NOT NULL,
    ord      BIGINT   NOT NULL,
    key      BIGINT   NOT NULL -- the customer's
);
INSERT INTO new_numbers (e164, customer, label, ord, key)
    SELECT n.e164, n.customer, n.label, n.ord, c.key FROM customer_numbers n JOIN new_customers c ON c.id = n.customer
    ORDER BY n.e164, n.customer;

DROP TABLE documents;
DROP TABLE customer_numbers;
DROP TABLE customers;
ALTER TABLE new_customers RENAME TO customers;
ALTER TABLE customers RENAME CONSTRAINT new_customers_pkey TO customers_pkey;
ALTER TABLE customers RENAME CONSTRAINT new_customers_id_key TO customers_id_key;
ALTER TABLE new_numbers RENAME TO customer_numbers;
ALTER TABLE customer_numbers ADD CONSTRAINT customer_numbers_pkey PRIMARY KEY (e164, customer) INCLUDE (key);
CREATE INDEX customer_numbers_customer ON customer_numbers (customer, ord);
ALTER TABLE customer_numbers ADD CONSTRAINT customer_numbers_customer_fkey FOREIGN KEY (customer) REFERENCES customers (id) ON DELETE CASCADE;
ALTER TABLE billing ADD CONSTRAINT billing_customer_fkey FOREIGN KEY (customer) REFERENCES customers (id) ON DELETE CASCADE;
ALTER TABLE products ADD CONSTRAINT products_customer_fkey FOREIGN KEY (customer) REFERENCES customers (id) ON DELETE CASCADE;
ALTER TABLE tickets ADD CONSTRAINT tickets_customer_fkey FOREIGN KEY (customer) REFERENCES customers (id) ON DELETE CASCADE;
INSERT INTO counters (name, value) SELECT 'customers', COALESCE(MAX(key), 0) FROM customers;
ANALYZE customers;
ANALYZE customer_numbers;

-- +goose Down

-- The tables are kept as they are, less what is new.
CREATE TABLE documents (
    customer TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES customers (id) ON DELETE CASCADE,
    version  BIGINT   NOT NULL,
    contacts BIGINT   NOT NULL,
    own      BIGINT   NOT NULL,
    added    BIGINT   NOT NULL,
    record   TEXT     NOT NULL,
    history  TEXT     NOT NULL
) WITH (toast_tuple_target = 8160, fillfactor = 90);
ALTER TABLE documents ALTER COLUMN record SET STORAGE EXTERNAL;
ALTER TABLE documents ALTER COLUMN history SET STORAGE EXTERNAL;
INSERT INTO documents SELECT id, doc_version, doc_contacts, doc_own, doc_added, record, history FROM customers WHERE record IS NOT NULL;
ALTER TABLE customer_numbers DROP CONSTRAINT customer_numbers_pkey;
ALTER TABLE customer_numbers DROP COLUMN key;
ALTER TABLE customer_numbers ADD PRIMARY KEY (e164, customer);
ALTER TABLE customers DROP CONSTRAINT customers_pkey;
ALTER TABLE customers DROP COLUMN key, DROP COLUMN doc_version, DROP COLUMN doc_contacts, DROP COLUMN doc_own, DROP COLUMN doc_added,
    DROP COLUMN record, DROP COLUMN history;
DELETE FROM counters WHERE name = 'customers';
