CREATE INDEX organizations_vendor ON organizations (id) WHERE vendor AND rev_to = 9223372036854775807;
-- With the id: the oldest person of an address is the first entry, so that the planner, which knows
-- nothing about addresses until the table has been analyzed, has no reason to read the table instead.
DROP INDEX people_email;
CREATE INDEX people_email ON people (lower(email), id) WHERE rev_to = 9223372036854775807;
