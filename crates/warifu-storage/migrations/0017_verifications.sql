-- Checks of callers who want a new way into an account. The steps stand in `body` (JSON); the ledger
-- has an entry of each. What is asked by is beside it.
CREATE TABLE verifications (
  id BIGINT PRIMARY KEY, person_id BIGINT NOT NULL, stage TEXT NOT NULL, requested_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX verifications_person ON verifications (person_id, id);
CREATE INDEX verifications_open ON verifications (stage, id) WHERE stage <> 'ended';
INSERT INTO counters (name, next) VALUES ('verifications', 1);

-- Codes under which callers open their side of a tally. Only the SHA-256 is kept.
CREATE TABLE tallies (
  code_hash BYTES PRIMARY KEY, verification_id BIGINT NOT NULL, expires_at BIGINT NOT NULL
);
CREATE INDEX tallies_expiry ON tallies (expires_at);

-- Printed recovery codes: each opens a request, once. Only the SHA-256 is kept.
CREATE TABLE recovery_codes (
  code_hash BYTES PRIMARY KEY, person_id BIGINT NOT NULL, created_at BIGINT NOT NULL
);
CREATE INDEX recovery_codes_person ON recovery_codes (person_id);
