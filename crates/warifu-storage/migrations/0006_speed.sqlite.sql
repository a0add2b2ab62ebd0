-- The words of each index in their order: what the beginning of a word stands for is looked up
-- here, a seek for each, instead of reading every place where one of them occurs.
CREATE VIRTUAL TABLE message_terms USING fts5vocab(message_search, instance);
CREATE VIRTUAL TABLE people_terms USING fts5vocab(people_search, instance);
CREATE VIRTUAL TABLE organization_terms USING fts5vocab(organization_search, instance);
CREATE INDEX organizations_vendor ON organizations (id) WHERE vendor AND rev_to = 9223372036854775807;
