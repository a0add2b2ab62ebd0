-- Programs that use the API with a key of their own. Their actions are those of a person of the
-- vendor's who has no factor and no role.
CREATE TABLE service_accounts (
  id BIGINT PRIMARY KEY, person_id BIGINT NOT NULL UNIQUE, name TEXT NOT NULL, owner_id BIGINT NOT NULL,
  scopes TEXT NOT NULL, networks TEXT NOT NULL, -- lists with spaces
  jwk TEXT NOT NULL, -- the public key, JSON
  created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, revoked_at BIGINT, last_used_at BIGINT
);
INSERT INTO counters (name, next) VALUES ('service_accounts', 1);
-- Access tokens: only their SHA-256, and the thumbprint of the key that they are bound to.
CREATE TABLE service_tokens (
  token_hash BYTES PRIMARY KEY, account_id BIGINT NOT NULL, scopes TEXT NOT NULL,
  key_thumbprint TEXT NOT NULL, expires_at BIGINT NOT NULL
);
CREATE INDEX service_tokens_expiry ON service_tokens (expires_at);
-- Assertions and proofs that were used, until they are over.
CREATE TABLE used_proofs (proof BYTES PRIMARY KEY, expires_at BIGINT NOT NULL);
CREATE INDEX used_proofs_expiry ON used_proofs (expires_at);
