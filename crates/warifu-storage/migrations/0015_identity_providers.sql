-- Identity providers by which people sign in: the vendor's own, and customers'.
CREATE TABLE identity_providers (
  id BIGINT PRIMARY KEY, organization_id BIGINT NOT NULL, name TEXT NOT NULL, issuer TEXT NOT NULL,
  client_id TEXT NOT NULL, secret BYTES NOT NULL, -- encrypted
  hosts TEXT NOT NULL, -- those that may be asked, separated by spaces
  enabled BIGINT NOT NULL, created_at BIGINT NOT NULL, removed_at BIGINT
);
INSERT INTO counters (name, next) VALUES ('identity_providers', 1);
-- Through which provider a session was opened, and what the provider calls its own.
ALTER TABLE sessions ADD COLUMN provider_id BIGINT;
ALTER TABLE sessions ADD COLUMN provider_sid TEXT;
CREATE INDEX sessions_provider ON sessions (provider_id, provider_sid) WHERE provider_id IS NOT NULL;
-- Logout tokens that were taken: each is good once.
CREATE TABLE spent_tokens (token_hash BYTES PRIMARY KEY, expires_at BIGINT NOT NULL);
CREATE INDEX spent_tokens_expiry ON spent_tokens (expires_at);
-- What an organization lets its users without roles sign in with, beyond what everybody may.
CREATE TABLE organization_access (
  organization_id BIGINT PRIMARY KEY, passwords BIGINT NOT NULL, weaker_providers BIGINT NOT NULL
);
