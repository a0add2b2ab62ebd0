-- When a factor ends by itself: until now it stood in the certificate alone.
ALTER TABLE credentials ADD COLUMN expires_at BIGINT;
UPDATE credentials SET expires_at = CAST(CAST(verifier AS JSON) ->> 'not_after' AS BIGINT) WHERE kind = 'certificate';
CREATE INDEX credentials_expiry ON credentials (expires_at) WHERE expires_at IS NOT NULL AND revoked_at IS NULL;
-- Who was told that something ends: once for each end and number of days before it.
CREATE TABLE reminders (
  kind TEXT NOT NULL, -- certificate, service
  id BIGINT NOT NULL, ends_at BIGINT NOT NULL, days BIGINT NOT NULL,
  PRIMARY KEY (kind, id, ends_at, days)
) CLUSTERED;
