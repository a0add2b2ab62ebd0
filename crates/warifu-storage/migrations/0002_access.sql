CREATE TABLE credentials (
  id BIGINT PRIMARY KEY, person_id BIGINT NOT NULL, credential_id BYTES NOT NULL UNIQUE,
  passkey TEXT NOT NULL, name TEXT NOT NULL, created_at BIGINT NOT NULL,
  last_used_at BIGINT, revoked_at BIGINT
);
CREATE INDEX credentials_person ON credentials (person_id, id);

-- One-time links: only the SHA-256 of the token is kept.
CREATE TABLE enrolments (
  token_hash BYTES PRIMARY KEY, person_id BIGINT NOT NULL, created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, used_at BIGINT,
  browser_hash BYTES -- the browser that opened it first; no other may use it
);
CREATE INDEX enrolments_person ON enrolments (person_id);

-- A WebAuthn ceremony between its two steps.
CREATE TABLE ceremonies (
  token_hash BYTES PRIMARY KEY, kind TEXT NOT NULL, person_id BIGINT NOT NULL,
  state TEXT NOT NULL, expires_at BIGINT NOT NULL
);
CREATE INDEX ceremonies_expiry ON ceremonies (expires_at);

CREATE TABLE sessions (
  token_hash BYTES PRIMARY KEY, person_id BIGINT NOT NULL, csrf TEXT NOT NULL,
  created_at BIGINT NOT NULL, used_at BIGINT NOT NULL, ends_at BIGINT NOT NULL,
  ended_at BIGINT, network TEXT NOT NULL, agent TEXT NOT NULL, credential_id BIGINT NOT NULL
);
CREATE INDEX sessions_person ON sessions (person_id, created_at);
CREATE INDEX sessions_end ON sessions (ends_at);
