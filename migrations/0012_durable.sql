-- Up Migration

-- Starts of a durable task so far; each is an invocation of its own, whose messages name it.
ALTER TABLE live ADD COLUMN invocation integer NOT NULL DEFAULT 0;
ALTER TABLE result ADD COLUMN invocation integer NOT NULL DEFAULT 0;

-- The event log of durable tasks: what each operation asked, at its place in a branch. Insert-only, a partition a day by
-- the task's own time. Kinds: 0 a branch itself (at node 0), 1 wait, 2 child run, 3 memo, 4 signal (older SDKs; branch 0).
CREATE TABLE durable_entry (
  task_id uuid NOT NULL,
  branch integer NOT NULL,
  node integer NOT NULL,
  kind smallint NOT NULL,
  -- Of what a replay must ask again, word for word.
  fingerprint text NOT NULL,
  -- JSON: what was asked.
  asked text NOT NULL,
  -- The invocation that asked first, and when.
  invocation integer NOT NULL,
  seq bigint NOT NULL,
  child_run_id uuid,
  PRIMARY KEY (task_id, branch, node)
) PARTITION BY RANGE (task_id);

CREATE INDEX durable_entry_child ON durable_entry (child_run_id) WHERE child_run_id IS NOT NULL;
CREATE INDEX durable_entry_branch ON durable_entry (task_id) WHERE kind = 0;

-- How operations were satisfied: once each, in the order of seq. Rows with condition >= 0 are single conditions of a wait
-- that was not satisfied by them alone. A child's output stays with the child: of the generation given here.
CREATE TABLE durable_result (
  task_id uuid NOT NULL,
  branch integer NOT NULL,
  node integer NOT NULL,
  condition smallint NOT NULL,
  seq bigint NOT NULL,
  status smallint NOT NULL,
  payload text,
  generation integer,
  PRIMARY KEY (task_id, branch, node, condition)
) PARTITION BY RANGE (task_id);

-- The events that open waits of unfinished durable tasks listen for. Not in the engine's memory while the task sleeps.
CREATE TABLE durable_listen (
  tenant_id uuid NOT NULL,
  event_key text NOT NULL,
  task_id uuid NOT NULL,
  branch integer NOT NULL,
  node integer NOT NULL,
  PRIMARY KEY (tenant_id, event_key, task_id, branch, node)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

CREATE INDEX durable_listen_task ON durable_listen (task_id, branch, node);

-- For waits that look back.
CREATE INDEX event_scope ON event (tenant_id, scope, key, id) WHERE scope IS NOT NULL;

-- Down Migration

DROP INDEX event_scope;
DROP TABLE durable_listen, durable_result, durable_entry;
ALTER TABLE result DROP COLUMN invocation;
ALTER TABLE live DROP COLUMN invocation;
