CREATE TABLE ledger_entries (
  seq BIGINT PRIMARY KEY, at BIGINT NOT NULL, kind TEXT NOT NULL, actor_id BIGINT NOT NULL,
  organization_id BIGINT NOT NULL, entry BYTES NOT NULL, hash BYTES NOT NULL
);
CREATE INDEX ledger_entries_kind ON ledger_entries (kind, seq);
CREATE INDEX ledger_entries_actor ON ledger_entries (actor_id, seq);
-- Roots of full tiles, by tile level from 1 up; the leaves' hashes are in the entries themselves.
CREATE TABLE ledger_hashes (level BIGINT NOT NULL, idx BIGINT NOT NULL, hash BYTES NOT NULL, PRIMARY KEY (level, idx)) CLUSTERED;

CREATE TABLE definitions (
  id BIGINT PRIMARY KEY, name TEXT NOT NULL, description TEXT NOT NULL, owner_id BIGINT NOT NULL,
  version BIGINT NOT NULL, archived_at BIGINT
);
CREATE TABLE definition_versions (
  definition_id BIGINT NOT NULL, version BIGINT NOT NULL, body TEXT NOT NULL, digest TEXT NOT NULL,
  author_id BIGINT NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (definition_id, version)
);
CREATE TABLE runs (
  id BIGINT PRIMARY KEY, definition_id BIGINT, definition_version BIGINT, name TEXT NOT NULL,
  body TEXT NOT NULL, digest TEXT NOT NULL, actor_id BIGINT NOT NULL, reason TEXT NOT NULL,
  as_of BIGINT NOT NULL, as_of_at BIGINT NOT NULL, state TEXT NOT NULL,
  expected_rows BIGINT NOT NULL, expected_bytes BIGINT,
  started_at BIGINT NOT NULL, ended_at BIGINT,
  rows BIGINT NOT NULL, bytes BIGINT NOT NULL, sha256 TEXT NOT NULL, column_bytes TEXT NOT NULL,
  blocks BYTES, -- CRC-32 of each 64 KiB of the file: tells where a re-creation differs
  start_seq BIGINT, end_seq BIGINT
);
CREATE INDEX runs_started ON runs (started_at, id);
CREATE INDEX runs_open ON runs (state, id);

CREATE TABLE incidents (
  id BIGINT PRIMARY KEY, title TEXT NOT NULL, state TEXT NOT NULL, opened_by BIGINT NOT NULL,
  opened_at BIGINT NOT NULL, summary TEXT NOT NULL, closed_at BIGINT
);
CREATE TABLE downloads (
  id BIGINT PRIMARY KEY, incident_id BIGINT NOT NULL, at BIGINT NOT NULL, bytes BIGINT NOT NULL,
  tolerance TEXT NOT NULL, measure TEXT NOT NULL, row_count BIGINT, who TEXT NOT NULL,
  network TEXT NOT NULL, source TEXT NOT NULL, guess TEXT NOT NULL,
  result TEXT, matched_at BIGINT
);
CREATE INDEX downloads_incident ON downloads (incident_id, at, id);

CREATE TABLE imports (
  id BIGINT PRIMARY KEY, file_digest TEXT NOT NULL UNIQUE, name TEXT NOT NULL, started_at BIGINT NOT NULL,
  rows_done BIGINT NOT NULL, rejected BIGINT NOT NULL, ended_at BIGINT
);
CREATE TABLE import_rejects (
  import_id BIGINT NOT NULL, line BIGINT NOT NULL, reason TEXT NOT NULL,
  PRIMARY KEY (import_id, line)
);
