-- Up Migration

-- The conditions of an unfinished task: since when sleeps and events count, and which are no longer open, with what met them.
CREATE TABLE wait (
  task_id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL,
  since_us bigint NOT NULL,
  resolved text NOT NULL
) WITH (fillfactor = 70);

-- Down Migration

DROP TABLE wait;
