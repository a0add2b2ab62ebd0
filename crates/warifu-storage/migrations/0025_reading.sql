-- Whose records somebody was shown of late, and when each of them was counted: once, for a day.
CREATE TABLE people_shown (
  actor_id BIGINT NOT NULL, person_id BIGINT NOT NULL, shown_at BIGINT NOT NULL,
  PRIMARY KEY (actor_id, person_id)
) CLUSTERED;
CREATE INDEX people_shown_of_late ON people_shown (actor_id, shown_at);
CREATE INDEX people_shown_at ON people_shown (shown_at);
-- When they agreed with their key to read on.
CREATE TABLE reading_agreed (
  actor_id BIGINT NOT NULL, agreed_at BIGINT NOT NULL, people BIGINT NOT NULL, -- up to how many
  PRIMARY KEY (actor_id, agreed_at, people)
) CLUSTERED;
CREATE INDEX reading_agreed_at ON reading_agreed (agreed_at);
