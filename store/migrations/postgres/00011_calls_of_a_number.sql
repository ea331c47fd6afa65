-- +goose Up

-- Conditions may ask what the caller's number has called before.
CREATE INDEX calls_number ON calls (number, arrived_at) WHERE number <> '';

-- +goose Down

DROP INDEX calls_number;
