-- +goose Up

-- Contacts of our own agents by when they were: a look-up reads those that a
-- customer's document has not seen.
DROP INDEX interactions_own;
CREATE INDEX interactions_own ON interactions (customer, at) WHERE attempt IS NOT NULL;

-- +goose Down

DROP INDEX interactions_own;
CREATE INDEX interactions_own ON interactions (customer) WHERE attempt IS NOT NULL;
