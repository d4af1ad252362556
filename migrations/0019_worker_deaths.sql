-- How often a task's worker died while it had the task, and how often a worker did not answer when the task was sent to it.

-- Up Migration

ALTER TABLE live
  ADD COLUMN deaths smallint NOT NULL DEFAULT 0,
  ADD COLUMN unanswered smallint NOT NULL DEFAULT 0;

-- Down Migration

ALTER TABLE live DROP COLUMN unanswered, DROP COLUMN deaths;
