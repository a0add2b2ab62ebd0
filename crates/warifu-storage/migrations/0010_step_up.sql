-- Proofs of step-ups that are not spent yet: for one session, one action with its parameters, once.
CREATE TABLE step_ups (
  token_hash BYTES PRIMARY KEY, session BYTES NOT NULL, action BYTES NOT NULL, expires_at BIGINT NOT NULL
);
CREATE INDEX step_ups_expiry ON step_ups (expires_at);
