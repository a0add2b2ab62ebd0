-- Messages get one more token: whose people may read them. What was indexed before goes; the server
-- fills the index again when it starts (search/fill.rs).
DROP TABLE message_terms;
DROP TABLE message_search;
CREATE VIRTUAL TABLE message_search USING fts5(tokens, content='', contentless_delete=1, tokenize="unicode61 remove_diacritics 0 categories 'L* N* Co M* S*'");
CREATE VIRTUAL TABLE message_terms USING fts5vocab(message_search, instance);
DELETE FROM message_cases;
INSERT INTO settings (name, value) SELECT 'search_filled_to', '0 0' WHERE EXISTS (SELECT 1 FROM messages);
