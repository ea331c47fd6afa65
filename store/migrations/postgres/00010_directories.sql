-- +goose Up

-- The directories of agents that documents were used with, by their hash: the
-- journal names them, so none is changed or removed.
CREATE TABLE routing_directories (
    sha256    TEXT   NOT NULL PRIMARY KEY,
    directory BYTEA  NOT NULL,
    saved_at  BIGINT NOT NULL
);

-- +goose Down

DROP TABLE routing_directories;
