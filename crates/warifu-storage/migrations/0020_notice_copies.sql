-- A notice that goes to an address which is no longer in the record, too: that row is for the mail alone.
ALTER TABLE notices ADD COLUMN mail_to TEXT;
