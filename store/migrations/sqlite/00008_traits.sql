-- What routing asks of a customer and no desk searches by, as one text.
-- +goose Up
ALTER TABLE customers ADD COLUMN traits TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE customers DROP COLUMN traits;
