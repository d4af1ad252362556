-- Up Migration

-- What a task asks of the queue beyond a slot, as JSON with its expressions evaluated; null for most. Written once.
ALTER TABLE live ADD COLUMN demands text;
-- The worker that the task's run keeps to, once its first task has run.
ALTER TABLE live ADD COLUMN sticky_worker_id uuid;

ALTER TABLE workflow ADD COLUMN paused boolean NOT NULL DEFAULT false;

-- Fixed windows. A window starts with the first task after the last one was over; used is debited in the transaction that assigns.
-- size holds from the next refill on, window_size in this window.
CREATE TABLE rate_limit (
  tenant_id uuid NOT NULL REFERENCES tenant (id),
  key text NOT NULL,
  size bigint NOT NULL,
  period text NOT NULL,
  window_size bigint NOT NULL,
  window_start_us bigint NOT NULL,
  used bigint NOT NULL,
  is_static boolean NOT NULL,
  PRIMARY KEY (tenant_id, key)
) WITH (fillfactor = 50);

-- Down Migration

DROP TABLE rate_limit;
ALTER TABLE workflow DROP COLUMN paused;
ALTER TABLE live DROP COLUMN sticky_worker_id, DROP COLUMN demands;
