-- Tokens are made by warifu_domain::search, one blank apart; unicode61 then splits at the blanks only.
CREATE VIRTUAL TABLE message_search USING fts5(tokens, content='', contentless_delete=1, tokenize="unicode61 remove_diacritics 0 categories 'L* N* Co M* S*'");
CREATE VIRTUAL TABLE people_search USING fts5(tokens, content='', contentless_delete=1, tokenize="unicode61 remove_diacritics 0 categories 'L* N* Co M* S*'");
CREATE VIRTUAL TABLE organization_search USING fts5(tokens, content='', contentless_delete=1, tokenize="unicode61 remove_diacritics 0 categories 'L* N* Co M* S*'");
-- Which case a message belongs to, by message id.
CREATE TABLE message_cases (message_id INTEGER PRIMARY KEY, case_id BIGINT NOT NULL, organization_id BIGINT NOT NULL, internal BOOLEAN NOT NULL);
