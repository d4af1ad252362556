-- When a run of one task was queued stands in its own row, and an assigned row of `live` fits into its page
-- (docs/adr/0058-rows-of-a-task.md).

-- Up Migration

-- In place of the row of `history` with kinds 'rCQ', attempt 0 and neither worker nor message. Null where that row is there.
ALTER TABLE run ADD COLUMN queued_seq bigint;

-- An assigned row is longer by its worker: with 50 each tenth did not fit into what was left of its page, and had its two index
-- entries written anew.
ALTER TABLE live SET (fillfactor = 45);

-- Down Migration

INSERT INTO history (task_id, seq, tenant_id, attempt, kinds)
SELECT id, queued_seq, tenant_id, 0, 'rCQ' FROM run WHERE queued_seq IS NOT NULL;
ALTER TABLE run DROP COLUMN queued_seq;
ALTER TABLE live SET (fillfactor = 50);
