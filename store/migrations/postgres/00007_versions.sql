-- +goose Up

-- The routing document's versions are never changed and never removed: calls
-- name the one they were routed by.
CREATE TABLE routing_versions (
    version  BIGINT NOT NULL PRIMARY KEY,
    sha256   TEXT   NOT NULL,
    document BYTEA  NOT NULL,
    author   TEXT   NOT NULL,
    origin   TEXT   NOT NULL,
    comment  TEXT   NOT NULL,
    parent   TEXT   NOT NULL,
    zones    TEXT   NOT NULL,
    saved_at BIGINT NOT NULL
);

-- Each wish to make a version live, and what became of it.
CREATE TABLE routing_activations (
    id       BIGINT NOT NULL PRIMARY KEY,
    version  BIGINT NOT NULL REFERENCES routing_versions (version),
    who      TEXT   NOT NULL,
    asked_at BIGINT NOT NULL,
    due_at   BIGINT NOT NULL,
    waiting  TEXT   NOT NULL,
    moves    TEXT   NOT NULL,
    ticked   BIGINT NOT NULL,
    reason   TEXT   NOT NULL,
    state    TEXT   NOT NULL,
    done_at  BIGINT,
    answer   TEXT   NOT NULL
);
CREATE INDEX routing_activations_state ON routing_activations (state, due_at, id);

-- +goose Down

DROP TABLE routing_activations;
DROP TABLE routing_versions;
