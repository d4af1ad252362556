-- When a run of one task was queued stands in its own row (docs/adr/0058-rows-of-a-task.md).

-- Up Migration

-- In place of the row of `history` with kinds 'rCQ', attempt 0 and neither worker nor message. Null where that row is there.
ALTER TABLE run ADD COLUMN queued_seq bigint;

-- Down Migration

INSERT INTO history (task_id, seq, tenant_id, attempt, kinds)
SELECT id, queued_seq, tenant_id, 0, 'rCQ' FROM run WHERE queued_seq IS NOT NULL;
ALTER TABLE run DROP COLUMN queued_seq;
