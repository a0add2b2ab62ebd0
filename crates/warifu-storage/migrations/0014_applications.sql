-- Management applications of the company that people enter with their session here.
CREATE TABLE applications (
  id BIGINT PRIMARY KEY, name TEXT NOT NULL,
  kind TEXT NOT NULL, -- forward_auth, openid
  origin TEXT NOT NULL UNIQUE, -- forward_auth: as browsers see it; openid: its client id
  secret_hash BYTES, -- openid: SHA-256; none for a public client
  redirect_uris TEXT NOT NULL, logout_uris TEXT NOT NULL, -- separated by blanks
  backchannel_uri TEXT NOT NULL, -- openid: where ended sessions are told; empty for nowhere
  roles TEXT NOT NULL, -- separated by commas: whoever has one of them may enter
  max_age BIGINT, -- microseconds since the person proved who they are
  acr TEXT NOT NULL, -- phr, phrh
  created_at BIGINT NOT NULL
);
INSERT INTO counters (name, next) VALUES ('applications', 1);

-- A person's way into an application: good for one entry, for a minute.
CREATE TABLE application_codes (
  code_hash BYTES PRIMARY KEY, application_id BIGINT NOT NULL,
  session BYTES NOT NULL REFERENCES sessions (token_hash) ON UPDATE CASCADE ON DELETE CASCADE,
  bound BYTES NOT NULL, -- forward_auth: SHA-256 of the browser's secret; openid: of the PKCE verifier
  redirect TEXT NOT NULL, -- forward_auth: the path; openid: the redirect URI
  nonce TEXT, scope TEXT NOT NULL,
  expires_at BIGINT NOT NULL, used_at BIGINT
);
CREATE INDEX application_codes_expiry ON application_codes (expires_at);
CREATE INDEX application_codes_session ON application_codes (session);

-- What a person has open in an application. It holds no longer than the session it came from, whose
-- token changes with a step-up: hence the cascade.
CREATE TABLE application_sessions (
  sid TEXT PRIMARY KEY, -- what the application calls it
  token_hash BYTES NOT NULL UNIQUE, -- forward_auth: of the cookie; openid: of the access token
  application_id BIGINT NOT NULL,
  session BYTES NOT NULL REFERENCES sessions (token_hash) ON UPDATE CASCADE ON DELETE CASCADE,
  code_hash BYTES NOT NULL, scope TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL, -- of the token
  ended_at BIGINT, -- revoked by itself
  tell_at BIGINT, -- when the application is told next that it ended; none: nothing is to be told
  tries BIGINT NOT NULL
);
CREATE INDEX application_sessions_session ON application_sessions (session);
CREATE INDEX application_sessions_code ON application_sessions (code_hash);
CREATE INDEX application_sessions_tell ON application_sessions (tell_at) WHERE tell_at IS NOT NULL;

-- Keys that sign what applications are told. The private halves are derived from the installation's key
-- file and these names; no key is in the database.
CREATE TABLE signing_keys (kid TEXT PRIMARY KEY, signs_from BIGINT NOT NULL UNIQUE);
