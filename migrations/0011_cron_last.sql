-- Up Migration

-- The last tick that made a run, and that run; the journal's partitions may be gone by then.
ALTER TABLE cron ADD COLUMN last_us bigint, ADD COLUMN last_run_id uuid;

-- Down Migration

ALTER TABLE cron DROP COLUMN last_us, DROP COLUMN last_run_id;
