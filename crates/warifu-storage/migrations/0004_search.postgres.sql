-- Tokens are made by warifu_domain::search and positions given by it; no text search configuration takes part.
CREATE TABLE message_search (rowid BIGINT PRIMARY KEY, tokens tsvector NOT NULL);
CREATE INDEX message_search_tokens ON message_search USING gin (tokens);
CREATE TABLE people_search (rowid BIGINT PRIMARY KEY, tokens tsvector NOT NULL);
CREATE INDEX people_search_tokens ON people_search USING gin (tokens);
CREATE TABLE organization_search (rowid BIGINT PRIMARY KEY, tokens tsvector NOT NULL);
CREATE INDEX organization_search_tokens ON organization_search USING gin (tokens);
CREATE TABLE message_cases (message_id BIGINT PRIMARY KEY, case_id BIGINT NOT NULL, organization_id BIGINT NOT NULL, internal BOOLEAN NOT NULL);
