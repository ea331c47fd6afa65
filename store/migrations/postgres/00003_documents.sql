-- +goose Up

-- A customer's record in one piece, as a look-up by number reads it; the other
-- tables are the truth, and a document can be made from them again at any time.
-- It counts while its version is the customer's, which whatever changes a part of
-- a record raises, and while it has seen each contact of our own agents: there may
-- have been some before the customer. Names of our own users and the age of the
-- billing are not in it.
CREATE TABLE documents (
    customer TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES customers (id) ON DELETE CASCADE,
    version  BIGINT   NOT NULL,
    contacts BIGINT   NOT NULL, -- in all
    own      BIGINT   NOT NULL, -- interactions of our own agents that it has seen
    added    BIGINT   NOT NULL, -- interactions put in front of the history since it was made
    record   TEXT     NOT NULL, -- JSON, without what the other columns hold
    history  TEXT     NOT NULL  -- interactions, each JSON and a comma; of two with one id the first counts
) WITH (toast_tuple_target = 8160, fillfactor = 90); -- in the row itself and not compressed: reading is what counts
ALTER TABLE documents ALTER COLUMN record SET STORAGE EXTERNAL;
ALTER TABLE documents ALTER COLUMN history SET STORAGE EXTERNAL;

-- How old the billing is may change without it: that is read with the customer.
ALTER TABLE customers ADD COLUMN billed_at BIGINT;
UPDATE customers SET billed_at = (SELECT b.read_at FROM billing b WHERE b.customer = customers.id);
ALTER TABLE billing DROP COLUMN read_at;

-- Interactions from outside carry no attempt: the index of our own need not hold
-- them. A record is put together by the key (customer, id).
DROP INDEX interactions_call;
DROP INDEX interactions_customer_at;
CREATE UNIQUE INDEX interactions_call ON interactions (call, attempt) WHERE attempt IS NOT NULL;
CREATE INDEX interactions_own ON interactions (customer) WHERE attempt IS NOT NULL;

-- +goose Down

ALTER TABLE billing ADD COLUMN read_at BIGINT NOT NULL DEFAULT 0;
UPDATE billing SET read_at = COALESCE((SELECT c.billed_at FROM customers c WHERE c.id = billing.customer), 0);
ALTER TABLE customers DROP COLUMN billed_at;
DROP INDEX interactions_own;
DROP INDEX interactions_call;
CREATE UNIQUE INDEX interactions_call ON interactions (call, attempt);
CREATE INDEX interactions_customer_at ON interactions (customer, at);
DROP TABLE documents;
