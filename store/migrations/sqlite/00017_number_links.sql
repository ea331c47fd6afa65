-- +goose Up

-- What our agents have said of whose a number is. The customer has the number in
-- customer_numbers too, by which he is looked up, whatever an import says.
CREATE TABLE number_links (
    e164       TEXT   NOT NULL,
    customer   TEXT   NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    agent      TEXT   NOT NULL,
    agent_name TEXT   NOT NULL, -- when it was said
    at         BIGINT NOT NULL,
    PRIMARY KEY (e164, customer)
);
CREATE INDEX number_links_customer ON number_links (customer);

-- +goose Down

DELETE FROM customer_numbers WHERE ord >= 30000;
DROP TABLE number_links;
