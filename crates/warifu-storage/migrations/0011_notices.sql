-- What happened to somebody's account, for them to see at their next sign-in.
CREATE TABLE notices (
  id BIGINT PRIMARY KEY, person_id BIGINT NOT NULL, at BIGINT NOT NULL, kind TEXT NOT NULL,
  details TEXT NOT NULL, -- JSON: what the sentence needs
  seen_at BIGINT
);
CREATE INDEX notices_person ON notices (person_id, id);
CREATE INDEX notices_unseen ON notices (person_id) WHERE seen_at IS NULL;
INSERT INTO counters (name, next) VALUES ('notices', 0);
