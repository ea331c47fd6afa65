-- +goose Up

-- Who answers for a standard answer, and from which day it has to be looked at again.
-- '' is not said.
ALTER TABLE answers ADD COLUMN owner TEXT NOT NULL DEFAULT '';  -- an agent
ALTER TABLE answers ADD COLUMN review TEXT NOT NULL DEFAULT ''; -- YYYY-MM-DD

-- +goose Down

ALTER TABLE answers DROP COLUMN review;
ALTER TABLE answers DROP COLUMN owner;
