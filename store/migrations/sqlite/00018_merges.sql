-- +goose Up

-- Customers whom somebody has said to be one: what "other" has is shown with what
-- "whole" has, and found by the numbers of both. Nothing of either is changed but
-- customer_numbers.key, which is that of "whole" as long as this stands.
CREATE TABLE customer_merges (
    id         BIGINT NOT NULL PRIMARY KEY, -- by which it is undone
    other      TEXT   NOT NULL UNIQUE REFERENCES customers (id) ON DELETE CASCADE,
    kept       TEXT   NOT NULL REFERENCES customers (id) ON DELETE CASCADE, -- whom it was merged into
    whole      TEXT   NOT NULL REFERENCES customers (id) ON DELETE CASCADE, -- that one, or whom he was merged into in his turn
    agent      TEXT   NOT NULL,
    agent_name TEXT   NOT NULL, -- when it was said
    at         BIGINT NOT NULL
);
CREATE INDEX customer_merges_kept ON customer_merges (kept);
CREATE INDEX customer_merges_whole ON customer_merges (whole);

-- Customers of whom somebody has said that they are not one, smaller id first.
CREATE TABLE customers_apart (
    one        TEXT   NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    other      TEXT   NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    agent      TEXT   NOT NULL,
    agent_name TEXT   NOT NULL, -- when it was said
    at         BIGINT NOT NULL,
    PRIMARY KEY (one, other)
);
CREATE INDEX customers_apart_other ON customers_apart (other);

-- +goose Down

UPDATE customer_numbers SET key = (SELECT c.key FROM customers c WHERE c.id = customer_numbers.customer)
    WHERE customer IN (SELECT m.other FROM customer_merges m);
UPDATE customers SET doc_version = NULL WHERE id IN (SELECT m.whole FROM customer_merges m) OR id IN (SELECT m.other FROM customer_merges m);
DELETE FROM counters WHERE name = 'merges';
DROP TABLE customers_apart;
DROP TABLE customer_merges;
