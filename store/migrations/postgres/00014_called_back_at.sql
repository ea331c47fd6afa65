-- +goose Up

-- A callback whose customer has rung in again, or was not reached in time, ends
-- as no other call does; and who is to be called back at another number than the
-- one that is shown has it in his row.
ALTER TABLE calls ADD COLUMN callback_number TEXT NOT NULL DEFAULT '';
ALTER TABLE calls DROP CONSTRAINT calls_check;
ALTER TABLE calls ADD CONSTRAINT calls_check CHECK ((ended_at IS NULL AND outcome = '') OR
    (ended_at IS NOT NULL AND outcome IN ('answered', 'abandoned', 'treated', 'rejected', 'failed', 'taken_over', 'expired')));

-- +goose Down

ALTER TABLE calls DROP COLUMN callback_number;
