-- Up Migration

-- Children of a task; only runs that have a parent pay for it.
CREATE INDEX run_parent ON run (parent_task_id) WHERE parent_task_id IS NOT NULL;

-- Down Migration

DROP INDEX run_parent;
