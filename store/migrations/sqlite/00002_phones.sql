-- +goose Up

-- What telephones authenticate with (RFC 7616 HA1, lower case hex) and the realm
-- it was made with; '' for none. phone_own is 1 for a secret that was set apart
-- from the desk's password, which then leaves it alone.
ALTER TABLE users ADD COLUMN phone_realm  TEXT   NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN phone_md5    TEXT   NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN phone_sha256 TEXT   NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN phone_own    BIGINT NOT NULL DEFAULT 0;

-- Where telephones have registered from, so that a restart need not wait for
-- each to come again.
CREATE TABLE phone_bindings (
    agent      TEXT   NOT NULL,
    contact    TEXT   NOT NULL, -- in the form in which equal ones are the same
    uri        TEXT   NOT NULL, -- as the phone wrote it
    instance   TEXT   NOT NULL,
    call_id    TEXT   NOT NULL,
    cseq       BIGINT NOT NULL,
    q          BIGINT NOT NULL, -- thousandths
    source     TEXT   NOT NULL, -- address:port
    transport  TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (agent, contact)
);

-- +goose Down
DROP TABLE phone_bindings;
ALTER TABLE users DROP COLUMN phone_own;
ALTER TABLE users DROP COLUMN phone_sha256;
ALTER TABLE users DROP COLUMN phone_md5;
ALTER TABLE users DROP COLUMN phone_realm;
