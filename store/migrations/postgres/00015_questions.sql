-- +goose Up

-- What an agent asks a colleague is a call of its own, and ends as no other does.
-- No row is looked at: each that there is has one of the former outcomes.
ALTER TABLE calls DROP CONSTRAINT calls_check;
ALTER TABLE calls ADD CONSTRAINT calls_check CHECK ((ended_at IS NULL AND outcome = '') OR
    (ended_at IS NOT NULL AND outcome IN ('answered', 'abandoned', 'treated', 'rejected', 'failed', 'taken_over', 'expired', 'consulted'))) NOT VALID;

-- +goose Down

-- Questions keep their rows: none is lost for an older release's sake.
ALTER TABLE calls DROP CONSTRAINT calls_check;
ALTER TABLE calls ADD CONSTRAINT calls_check CHECK ((ended_at IS NULL AND outcome = '') OR
    (ended_at IS NOT NULL AND outcome IN ('answered', 'abandoned', 'treated', 'rejected', 'failed', 'taken_over', 'expired'))) NOT VALID;
