-- +goose Up

-- Full-text search: the terms of an interaction (docs/adr/0058-search.md), which are
-- given afterwards, and NULL until then.
ALTER TABLE interactions ADD COLUMN terms tsvector;
CREATE INDEX interactions_terms ON interactions USING gin (terms);
CREATE INDEX interactions_unsearched ON interactions (at) WHERE terms IS NULL;
CREATE INDEX interactions_at ON interactions (at);

-- +goose Down

DROP INDEX interactions_at;
DROP INDEX interactions_unsearched;
DROP INDEX interactions_terms;
ALTER TABLE interactions DROP COLUMN terms;
