-- Up Migration

-- What a task streams, kept as long as its run. A repeated call finds its number taken.
CREATE TABLE stream_chunk (
  run_id uuid NOT NULL,
  task_id uuid NOT NULL,
  attempt integer NOT NULL,
  number bigint NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  tenant_id uuid NOT NULL,
  chunk bytea NOT NULL,
  PRIMARY KEY (run_id, task_id, attempt, number)
) PARTITION BY RANGE (run_id);

CREATE INDEX stream_chunk_order ON stream_chunk (run_id, id);

-- Down Migration

DROP TABLE stream_chunk;
