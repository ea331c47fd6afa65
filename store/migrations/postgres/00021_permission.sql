-- +goose Up

-- What customers have said to being contacted. Nothing is changed in it: they say
-- something else later.
CREATE TABLE consents (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer   TEXT   NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    purpose    TEXT   NOT NULL,
    channel    TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    at         BIGINT NOT NULL, -- when he said it
    expires_at BIGINT,
    source     TEXT   NOT NULL, -- the outside system, '' for our agents
    source_id  TEXT   NOT NULL, -- its own
    agent      TEXT   NOT NULL,
    agent_name TEXT   NOT NULL,
    evidence   TEXT   NOT NULL, -- what he said or signed, or where that lies
    written_at BIGINT NOT NULL
);
CREATE INDEX consents_customer ON consents (customer);
CREATE UNIQUE INDEX consents_source ON consents (source, source_id) WHERE source <> '';

-- Whether somebody may be contacted, each time that was asked. What was allowed
-- counts as a contact.
CREATE TABLE contact_decisions (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         BIGINT  NOT NULL,
    contact_at BIGINT  NOT NULL, -- when he was to be contacted
    source     TEXT    NOT NULL,
    source_id  TEXT    NOT NULL,
    customer   TEXT    NOT NULL, -- '' for nobody's number, and once he is erased
    number     TEXT    NOT NULL,
    purpose    TEXT    NOT NULL,
    channel    TEXT    NOT NULL,
    allowed    INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    not_before BIGINT,
    weighed    TEXT    NOT NULL,
    rules      TEXT    NOT NULL  -- of which server file
);
CREATE INDEX contact_decisions_customer ON contact_decisions (customer, contact_at) WHERE customer <> '';
CREATE INDEX contact_decisions_number ON contact_decisions (number, contact_at) WHERE number <> '';
CREATE UNIQUE INDEX contact_decisions_source ON contact_decisions (source, source_id) WHERE source_id <> '';

-- Those who objected before they were erased: a keyed hash of the number.
CREATE TABLE suppressions (
    number_key TEXT   NOT NULL PRIMARY KEY,
    at         BIGINT NOT NULL
);

-- Lists of those who want no calls, as registers publish them. The numbers of
-- generation are in force; those of other are being imported, or are in force no more.
CREATE TABLE do_not_call_lists (
    name        TEXT   NOT NULL PRIMARY KEY,
    generation  BIGINT NOT NULL,
    other       BIGINT NOT NULL,
    numbers     BIGINT NOT NULL,
    imported_at BIGINT          -- NULL: not yet, or being removed
);
CREATE TABLE do_not_call (
    generation BIGINT NOT NULL,
    number     BIGINT NOT NULL, -- E.164 without its +
    PRIMARY KEY (generation, number)
);

-- +goose Down

DROP TABLE suppressions;
DROP TABLE do_not_call;
DROP TABLE do_not_call_lists;
DROP TABLE contact_decisions;
DROP TABLE consents;
