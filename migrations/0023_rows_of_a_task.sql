-- What one row says is not stored a second time (docs/adr/0058-rows-of-a-task.md). Rows of before stay as they are, and are read
-- as before: nothing is rewritten.

-- Up Migration

-- A run of one task is its own task: that has the run's id and step 0, and no row of `task`. Where it completed its
-- row of `result` says so, and there is none of `run_end`. False for runs of several tasks, and for all of before.
ALTER TABLE run ADD COLUMN one_task boolean NOT NULL DEFAULT false;

-- Down Migration

INSERT INTO task (id, run_id, step) SELECT id, id, 0 FROM run WHERE one_task;
INSERT INTO run_end (tenant_id, status, run_id, generation, seq)
SELECT r.tenant_id, x.status, r.id, x.generation, x.seq
FROM run r JOIN result x ON x.task_id = r.id AND x.status = 3
WHERE r.one_task
ON CONFLICT DO NOTHING;
ALTER TABLE run DROP COLUMN one_task;
