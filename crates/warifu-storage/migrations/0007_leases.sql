-- Which node makes a running run's file, and until when it has said that it lives: a run that no
-- living node makes is recorded as aborted.
ALTER TABLE runs ADD COLUMN node TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN alive_until BIGINT NOT NULL DEFAULT 0;
