-- How often each of the vendor's people opened a case, as the ledger's `viewed` entries say: one row
-- is written in the transaction of each such entry. Customers are shown the sum.
CREATE TABLE case_views (
  case_id BIGINT NOT NULL, person_id BIGINT NOT NULL, n BIGINT NOT NULL, last_at BIGINT NOT NULL,
  PRIMARY KEY (case_id, person_id)
) CLUSTERED;

-- The answers to creating requests that carried an Idempotency-Key, for a day.
CREATE TABLE idempotency (
  person_id BIGINT NOT NULL, key TEXT NOT NULL, request BYTES NOT NULL, -- SHA-256 of route and body
  at BIGINT NOT NULL, status BIGINT NOT NULL, answer TEXT NOT NULL, -- status 0: still being worked on
  PRIMARY KEY (person_id, key)
) CLUSTERED;
CREATE INDEX idempotency_at ON idempotency (at);
