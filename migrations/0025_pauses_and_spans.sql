-- What a pause does with a workflow's runs, and the spans that SDKs send.

-- Up Migration

-- An engine of the release before pauses without them: everything waits, whatever stands here.
ALTER TABLE workflow
  ADD COLUMN drops_crons boolean NOT NULL DEFAULT false,
  ADD COLUMN drops_schedules boolean NOT NULL DEFAULT false,
  -- A queued task that waits for longer is cancelled; null: it waits for as long as the pause lasts.
  ADD COLUMN queue_ttl_ms bigint,
  -- When the last pause ended, as the shard's own clock, which stands still while nobody serves the shard; null for never.
  ADD COLUMN resumed_us bigint;

-- Down Migration

ALTER TABLE workflow
  DROP COLUMN resumed_us,
  DROP COLUMN queue_ttl_ms,
  DROP COLUMN drops_schedules,
  DROP COLUMN drops_crons;
