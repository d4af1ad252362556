-- Up Migration

-- The batch in which the attempt runs: its members share a worker's slots, and their reports name it.
ALTER TABLE live ADD COLUMN batch_id uuid;

-- Down Migration

ALTER TABLE live DROP COLUMN batch_id;
