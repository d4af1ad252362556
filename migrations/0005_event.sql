-- Up Migration

-- What was pushed. Insert-only, a partition a day by the id's own time.
CREATE TABLE event (
  id uuid NOT NULL,
  tenant_id uuid NOT NULL,
  key text NOT NULL,
  scope text,
  payload text NOT NULL,
  metadata jsonb NOT NULL,
  PRIMARY KEY (id)
) PARTITION BY RANGE (id);

CREATE INDEX event_tenant ON event (tenant_id, id);

-- The runs that an event started, each with the filter that let it.
CREATE TABLE event_run (
  event_id uuid NOT NULL,
  run_id uuid NOT NULL,
  filter_id uuid,
  PRIMARY KEY (event_id, run_id)
) PARTITION BY RANGE (event_id);

CREATE TABLE filter (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenant (id),
  workflow_id uuid NOT NULL REFERENCES workflow (id),
  scope text NOT NULL,
  expression text NOT NULL,
  payload text NOT NULL,
  is_declared boolean NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX filter_workflow ON filter (tenant_id, workflow_id, scope);

-- The payload of the filter that let the run start; null for all others.
ALTER TABLE run ADD COLUMN filter_payload text;

-- Down Migration

ALTER TABLE run DROP COLUMN filter_payload;
DROP TABLE filter, event_run, event;
