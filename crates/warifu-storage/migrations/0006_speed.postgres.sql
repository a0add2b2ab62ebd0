CREATE INDEX organizations_vendor ON organizations (id) WHERE vendor AND rev_to = 9223372036854775807;
