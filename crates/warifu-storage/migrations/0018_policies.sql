-- What is set for a scope (`staff`, `role:agent`, `organization:7`), as JSON.
CREATE TABLE policies (scope TEXT PRIMARY KEY, rules TEXT NOT NULL, changed_at BIGINT NOT NULL);
-- How far a security feature has come, as JSON; absent as it was at the beginning.
CREATE TABLE rollouts (feature TEXT PRIMARY KEY, rollout TEXT NOT NULL, since BIGINT NOT NULL);
CREATE TABLE feature_choices (
  organization_id BIGINT NOT NULL, feature TEXT NOT NULL, chosen BIGINT NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (organization_id, feature)
);
-- Whom a feature that is only reported would have affected.
CREATE TABLE would_affect (
  feature TEXT NOT NULL, person_id BIGINT NOT NULL, times BIGINT NOT NULL, last_at BIGINT NOT NULL,
  PRIMARY KEY (feature, person_id)
);
-- Networks of an organization that count as one for its sessions; `members` is JSON.
CREATE TABLE network_groups (
  organization_id BIGINT PRIMARY KEY, members TEXT NOT NULL, changed_at BIGINT NOT NULL
);
-- Changes that wait for a second person.
CREATE TABLE approvals (
  id BIGINT PRIMARY KEY, proposal TEXT NOT NULL, digest BYTES NOT NULL,
  reason TEXT NOT NULL, requested_by BIGINT NOT NULL, requested_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
  outcome TEXT, decided_by BIGINT, decided_at BIGINT
);
CREATE INDEX approvals_open ON approvals (id) WHERE outcome IS NULL;
INSERT INTO counters (name, next) VALUES ('approvals', 0);
-- The make of an authenticator, as it names it.
ALTER TABLE credentials ADD COLUMN aaguid TEXT;
