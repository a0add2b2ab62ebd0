-- The key of the device that a session is bound to. It comes after sign-in, so it has a row of its own
-- under a name that the session had from the beginning: registering never writes to the session's row,
-- and a step-up, which gives the session a new token, never loses it.
ALTER TABLE sessions ADD COLUMN device BYTES;
CREATE UNIQUE INDEX sessions_device ON sessions (device);
CREATE TABLE devices (
  id BYTES PRIMARY KEY, kind TEXT NOT NULL, public_key BYTES NOT NULL, bound_at BIGINT NOT NULL,
  -- SHA-256 of the short cookie and of the one before it
  cookie BYTES NOT NULL, cookie_ends BIGINT NOT NULL, old_cookie BYTES NOT NULL, old_ends BIGINT NOT NULL
);
CREATE TABLE device_challenges (
  token_hash BYTES PRIMARY KEY, device BYTES NOT NULL, purpose TEXT NOT NULL, expires_at BIGINT NOT NULL
);
CREATE INDEX device_challenges_expiry ON device_challenges (expires_at);
