-- What a pause does with a workflow's runs, pauses of rate limits, and the spans that SDKs send.

-- Up Migration

-- An engine of the release before pauses without them: everything waits, whatever stands here.
ALTER TABLE workflow
  ADD COLUMN drops_crons boolean NOT NULL DEFAULT false,
  ADD COLUMN drops_schedules boolean NOT NULL DEFAULT false,
  -- A queued task that waits for longer is cancelled; null: it waits for as long as the pause lasts.
  ADD COLUMN queue_ttl_ms bigint,
  -- When the last pause ended, as the shard's own clock, which stands still while nobody serves the shard; null for never.
  ADD COLUMN resumed_us bigint;

-- Until then nobody gets units of the key; a time of the past for no pause. Microseconds since 1970.
ALTER TABLE rate_limit ADD COLUMN paused_until_us bigint NOT NULL DEFAULT 0;

-- Spans of OpenTelemetry, as SDKs sent them. The id is of the day on which one came, and else a hash of the tenant and of the
-- span's own ids: what is sent again that day is there already.
CREATE TABLE span (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL,
  trace_id bytea NOT NULL,
  span_id bytea NOT NULL,
  parent_span_id bytea,
  -- What it says of itself; every read asks for the tenant too.
  run_id uuid,
  task_id uuid,
  attempt integer NOT NULL,
  name text NOT NULL,
  kind smallint NOT NULL,
  status smallint NOT NULL,
  status_message text,
  start_ns bigint NOT NULL,
  duration_ns bigint NOT NULL,
  service text NOT NULL,
  scope_name text NOT NULL,
  scope_version text NOT NULL,
  attributes text NOT NULL,
  resource text NOT NULL,
  events text NOT NULL,
  links text NOT NULL
) PARTITION BY RANGE (id);

CREATE INDEX span_trace ON span (tenant_id, trace_id);
CREATE INDEX span_run ON span (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX span_task ON span (task_id) WHERE task_id IS NOT NULL;

-- Down Migration

DROP TABLE span;
ALTER TABLE rate_limit DROP COLUMN paused_until_us;

ALTER TABLE workflow
  DROP COLUMN resumed_us,
  DROP COLUMN queue_ttl_ms,
  DROP COLUMN drops_schedules,
  DROP COLUMN drops_crons;
