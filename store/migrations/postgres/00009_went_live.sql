-- +goose Up

-- The order in which versions went live, which a clock that is set back does not
-- change.
ALTER TABLE routing_activations ADD COLUMN live_no BIGINT;
UPDATE routing_activations SET live_no = (SELECT COUNT(*) FROM routing_activations o WHERE o.state = 'live' AND
    (o.done_at < routing_activations.done_at OR o.done_at = routing_activations.done_at AND o.id <= routing_activations.id))
    WHERE state = 'live';

-- +goose Down

ALTER TABLE routing_activations DROP COLUMN live_no;
