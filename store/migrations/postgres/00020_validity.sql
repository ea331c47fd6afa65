-- +goose Up

-- What the source says of a number beside its label: whose it is within the
-- customer (a company's contact, one of a household), on which days it is his, and
-- which system says so. '' is not said.
ALTER TABLE customer_numbers ADD COLUMN person TEXT NOT NULL DEFAULT '';
ALTER TABLE customer_numbers ADD COLUMN valid_from TEXT NOT NULL DEFAULT ''; -- YYYY-MM-DD
ALTER TABLE customer_numbers ADD COLUMN valid_to TEXT NOT NULL DEFAULT '';   -- the last day
ALTER TABLE customer_numbers ADD COLUMN source TEXT NOT NULL DEFAULT '';

-- +goose Down

ALTER TABLE customer_numbers DROP COLUMN source;
ALTER TABLE customer_numbers DROP COLUMN valid_to;
ALTER TABLE customer_numbers DROP COLUMN valid_from;
ALTER TABLE customer_numbers DROP COLUMN person;
