-- What the vendor's people and programs have seen of an organization: one row for each entry of the
-- ledger and organization, written in the entry's transaction.
CREATE TABLE accesses (
  organization_id BIGINT NOT NULL, at BIGINT NOT NULL, seq BIGINT NOT NULL, kind BIGINT NOT NULL,
  actor_id BIGINT NOT NULL, subject_id BIGINT NOT NULL, -- case, file, person or run; 0 for several people
  n BIGINT NOT NULL, -- records of the organization
  marks BIGINT NOT NULL,
  PRIMARY KEY (organization_id, at, seq)
) CLUSTERED;
CREATE INDEX accesses_kind ON accesses (organization_id, kind, at, seq);
-- The same for lists in which cases stand, by themselves: there are many, and they say little.
CREATE TABLE case_lists (
  organization_id BIGINT NOT NULL, at BIGINT NOT NULL, seq BIGINT NOT NULL, actor_id BIGINT NOT NULL,
  subject_id BIGINT NOT NULL, n BIGINT NOT NULL, marks BIGINT NOT NULL,
  PRIMARY KEY (organization_id, at, seq)
) CLUSTERED;

-- How many rows of each organization a run has, counted when it is prepared.
CREATE TABLE run_organizations (
  run_id BIGINT NOT NULL, organization_id BIGINT NOT NULL, n BIGINT NOT NULL,
  PRIMARY KEY (run_id, organization_id)
) CLUSTERED;
-- Nobody counted those of before: their files leave when they are prepared again.
UPDATE runs SET state = 'aborted', ended_at = started_at, end_seq = -1 WHERE state = 'prepared';
INSERT INTO settings (name, value) SELECT 'accesses_since', CAST(ledger_at AS TEXT) FROM head WHERE ledger_size > 0;
