-- Every integer is BIGINT, every time microseconds UTC. BYTES and CLUSTERED are put into each
-- engine's words by dialect.rs. rev_to of a version that still holds is 9223372036854775807.

-- One row: the revision handed out last and the ledger's head. Every change locks it first, so
-- revisions are committed in their order.
CREATE TABLE head (
  id BIGINT PRIMARY KEY CHECK (id = 1),
  revision BIGINT NOT NULL,
  ledger_size BIGINT NOT NULL,
  ledger_frontier BYTES NOT NULL,
  ledger_at BIGINT NOT NULL, -- time of the last entry: the next is never earlier
  checkpoint TEXT NOT NULL
);
INSERT INTO head (id, revision, ledger_size, ledger_frontier, ledger_at, checkpoint) VALUES (1, 0, 0, CAST('' AS BYTES), 0, '');

CREATE TABLE counters (name TEXT PRIMARY KEY, next BIGINT NOT NULL);
INSERT INTO counters (name, next) VALUES
  ('people', 1), ('organizations', 1), ('cases', 1), ('messages', 1), ('attachments', 1),
  ('definitions', 1), ('runs', 1), ('incidents', 1), ('downloads', 1), ('credentials', 1), ('imports', 1);

CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);

-- When each revision was committed: what "as of 15:06" means.
CREATE TABLE revisions (revision BIGINT PRIMARY KEY, at BIGINT NOT NULL);
CREATE INDEX revisions_at ON revisions (at, revision);

CREATE TABLE organizations (
  id BIGINT NOT NULL, rev_from BIGINT NOT NULL, rev_to BIGINT NOT NULL,
  name TEXT NOT NULL, name_folded TEXT NOT NULL, environment TEXT NOT NULL,
  products TEXT NOT NULL, domain TEXT NOT NULL, vendor BOOLEAN NOT NULL,
  PRIMARY KEY (id, rev_from)
) CLUSTERED;
CREATE INDEX organizations_name ON organizations (name_folded, id) WHERE rev_to = 9223372036854775807;
CREATE INDEX organizations_revision ON organizations (rev_from);

CREATE TABLE people (
  id BIGINT NOT NULL, rev_from BIGINT NOT NULL, rev_to BIGINT NOT NULL,
  organization_id BIGINT NOT NULL, active BOOLEAN NOT NULL,
  created_date BIGINT, last_login BIGINT, full_name TEXT, username TEXT, email TEXT,
  company_name TEXT, user_type TEXT, address TEXT, last_password_change BIGINT,
  role_name TEXT, role_description TEXT, phone TEXT, mobile TEXT, time_zone TEXT,
  saml_federation_id TEXT,
  PRIMARY KEY (id, rev_from)
) CLUSTERED;
CREATE INDEX people_email ON people (lower(email)) WHERE rev_to = 9223372036854775807;
CREATE INDEX people_organization ON people (organization_id, id) WHERE rev_to = 9223372036854775807;
CREATE INDEX people_revision ON people (rev_from);
CREATE INDEX people_closed ON people (rev_to) WHERE rev_to < 9223372036854775807;

CREATE TABLE role_grants (
  person_id BIGINT NOT NULL, role TEXT NOT NULL, rev_from BIGINT NOT NULL, rev_to BIGINT NOT NULL,
  PRIMARY KEY (person_id, role, rev_from)
) CLUSTERED;
CREATE INDEX role_grants_role ON role_grants (role, person_id) WHERE rev_to = 9223372036854775807;

CREATE TABLE cases (
  id BIGINT NOT NULL, rev_from BIGINT NOT NULL, rev_to BIGINT NOT NULL,
  organization_id BIGINT NOT NULL, requester_id BIGINT NOT NULL,
  assignee_id BIGINT NOT NULL, -- 0: nobody, so that one index answers both
  active BOOLEAN NOT NULL, status BIGINT NOT NULL, priority BIGINT NOT NULL,
  subject TEXT NOT NULL, product TEXT NOT NULL, tags TEXT NOT NULL, language TEXT NOT NULL,
  created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, first_reply_at BIGINT, solved_at BIGINT,
  messages BIGINT NOT NULL,
  PRIMARY KEY (id, rev_from)
) CLUSTERED;
CREATE INDEX cases_active ON cases (active, updated_at, id) WHERE rev_to = 9223372036854775807;
CREATE INDEX cases_status ON cases (status, updated_at, id) WHERE rev_to = 9223372036854775807;
CREATE INDEX cases_assignee ON cases (assignee_id, active, updated_at, id) WHERE rev_to = 9223372036854775807;
CREATE INDEX cases_organization ON cases (organization_id, updated_at, id) WHERE rev_to = 9223372036854775807;
CREATE INDEX cases_requester ON cases (requester_id, updated_at, id) WHERE rev_to = 9223372036854775807;

-- How many current cases there are of each scope and status, kept by every change of a case.
-- scope: 'all' (key 0), 'assignee' (key 0 is nobody), 'organization', 'requester'.
CREATE TABLE case_counts (
  scope TEXT NOT NULL, key BIGINT NOT NULL, status BIGINT NOT NULL, n BIGINT NOT NULL,
  PRIMARY KEY (scope, key, status)
) CLUSTERED;

CREATE TABLE messages (
  case_id BIGINT NOT NULL, id BIGINT NOT NULL, organization_id BIGINT NOT NULL,
  kind BIGINT NOT NULL, author_id BIGINT NOT NULL, at BIGINT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (case_id, id)
) CLUSTERED;

CREATE TABLE attachments (
  id BIGINT PRIMARY KEY, case_id BIGINT NOT NULL, message_id BIGINT NOT NULL,
  organization_id BIGINT NOT NULL, name TEXT NOT NULL, media_type TEXT NOT NULL,
  bytes BIGINT NOT NULL, sha256 TEXT NOT NULL, at BIGINT NOT NULL,
  har_receipt TEXT -- JSON, when the file was a HAR and was sanitized
);
CREATE INDEX attachments_case ON attachments (case_id, id);
