-- +goose Up

-- Full-text search. Under "no" stand the terms of an interaction (docs/adr/0058-search.md):
-- by it they lie in the order of time, so that the newest are found first. It is given
-- afterwards, and NULL until then.
ALTER TABLE interactions ADD COLUMN search_no BIGINT;
-- Those without one lie together in it, in the order in which they were written, which
-- costs an import next to nothing.
CREATE UNIQUE INDEX interactions_search_no ON interactions (search_no);
CREATE VIRTUAL TABLE interaction_terms USING fts5 (terms, detail=none, columnsize=0, tokenize='ascii');
-- What is deleted is taken out of the index and not only marked.
INSERT INTO interaction_terms (interaction_terms, rank) VALUES ('secure-delete', 1);

-- The numbers of interactions that are gone, whose terms are to be taken out. An
-- import deletes and writes anew what it changes, mostly the same.
CREATE TABLE search_gone (
    no       INTEGER NOT NULL PRIMARY KEY,
    customer TEXT    NOT NULL
);
CREATE INDEX search_gone_customer ON search_gone (customer);
-- +goose StatementBegin
CREATE TRIGGER interactions_gone AFTER DELETE ON interactions WHEN old.search_no IS NOT NULL
BEGIN
    INSERT OR REPLACE INTO search_gone (no, customer) VALUES (old.search_no, old.customer);
END;
-- +goose StatementEnd

-- +goose Down

DROP TRIGGER interactions_gone;
DROP TABLE search_gone;
DROP TABLE interaction_terms;
DROP INDEX interactions_search_no;
ALTER TABLE interactions DROP COLUMN search_no;
