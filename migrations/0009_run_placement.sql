-- Up Migration

-- What the trigger asked of its workers beyond the definition: JSON {labels, desiredWorkerId}; null for most. A replay asks it again.
ALTER TABLE run ADD COLUMN placement text;

-- Down Migration

ALTER TABLE run DROP COLUMN placement;
