-- Factors of every kind stand in one table; a session knows by which it was opened.
ALTER TABLE credentials RENAME COLUMN passkey TO verifier;
ALTER TABLE credentials ADD COLUMN kind TEXT NOT NULL DEFAULT 'passkey';
ALTER TABLE sessions ADD COLUMN factor TEXT NOT NULL DEFAULT 'passkey';
ALTER TABLE sessions ADD COLUMN assurance BIGINT NOT NULL DEFAULT 2; -- NIST SP 800-63B, 1 to 3
ALTER TABLE sessions ADD COLUMN proved_at BIGINT NOT NULL DEFAULT 0; -- when the person last proved who they are
UPDATE sessions SET proved_at = created_at;
