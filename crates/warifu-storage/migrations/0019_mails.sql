-- A notice is mailed too: when it is tried next; nothing where it was sent, given up, or is from before.
ALTER TABLE notices ADD COLUMN mail_at BIGINT;
CREATE INDEX notices_mail ON notices (mail_at) WHERE mail_at IS NOT NULL;
