-- Messages get one more token: whose people may read them. What was indexed before goes; the server
-- fills the index again when it starts (search/fill.rs).
TRUNCATE message_search, message_cases;
INSERT INTO settings (name, value) SELECT 'search_filled_to', '0 0' WHERE EXISTS (SELECT 1 FROM messages);
