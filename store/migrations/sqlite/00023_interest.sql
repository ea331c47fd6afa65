-- +goose Up

-- What was last said for certain of how often a service is asked about: which way that
-- goes, what it was before, and whether the change was told.
CREATE TABLE interest_states (
    division TEXT     NOT NULL,
    service  TEXT     NOT NULL,
    queue    SMALLINT NOT NULL,
    segment  TEXT     NOT NULL,
    region   TEXT     NOT NULL,
    state    TEXT     NOT NULL,
    was      TEXT     NOT NULL, -- '' of the first
    since    BIGINT   NOT NULL, -- the end of the week that showed it
    told     SMALLINT NOT NULL,
    PRIMARY KEY (division, service, queue, segment, region)
);

-- +goose Down

DROP TABLE interest_states;
