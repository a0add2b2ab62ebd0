-- When a second person agreed to an account; those of before were made by one.
ALTER TABLE service_accounts ADD COLUMN agreed_at BIGINT;
UPDATE service_accounts SET agreed_at = created_at;
-- What waits is kept in another form now; what waited is asked for again.
DELETE FROM approvals WHERE outcome IS NULL;
-- How much somebody has taken of late: alive_until is set when a file begins to leave.
CREATE INDEX runs_taken ON runs (actor_id, alive_until);
