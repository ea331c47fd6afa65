-- +goose Up

-- What a call's row costs is the indexes that change with it. A call is found by
-- its number, by when it arrived, and while it is open. Nobody looked calls up by
-- customer or public id, and an outcome is counted over the whole table with or
-- without an index.
ALTER TABLE calls DROP CONSTRAINT calls_public_id_key;
DROP INDEX calls_outcome;
DROP INDEX calls_customer;
CREATE INDEX calls_open ON calls (call) WHERE outcome = '';

-- +goose Down

DROP INDEX calls_open;
CREATE INDEX calls_outcome ON calls (outcome);
CREATE INDEX calls_customer ON calls (customer, arrived_at);
ALTER TABLE calls ADD CONSTRAINT calls_public_id_key UNIQUE (public_id);
