-- +goose Up

-- Interactions that outside systems write, each under that system's name and its
-- own id there, whoever's it is. attempt is 0 and call NULL: they count as added
-- here, and no import removes them.
ALTER TABLE interactions ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE interactions ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE interactions ADD COLUMN changed_at BIGINT;
ALTER TABLE interactions ADD COLUMN links TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX interactions_source ON interactions (source, id) WHERE source <> '';

-- +goose Down

DROP INDEX interactions_source;
DELETE FROM interactions WHERE source <> '';
ALTER TABLE interactions DROP COLUMN links;
ALTER TABLE interactions DROP COLUMN changed_at;
ALTER TABLE interactions DROP COLUMN revision;
ALTER TABLE interactions DROP COLUMN source;
