-- Up Migration

-- next_us is the due tick: firing it and moving it on is one transaction.
CREATE TABLE cron (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenant (id),
  workflow_id uuid NOT NULL REFERENCES workflow (id),
  name text NOT NULL,
  expression text NOT NULL,
  zone text NOT NULL,
  catch_up text NOT NULL,
  input text NOT NULL,
  metadata jsonb NOT NULL,
  priority smallint,
  enabled boolean NOT NULL,
  is_declared boolean NOT NULL,
  next_us bigint NOT NULL,
  last_error text,
  UNIQUE (workflow_id, name)
) WITH (fillfactor = 70);

CREATE INDEX cron_tenant ON cron (tenant_id, id);

-- A run at a time. run_id is set by the transaction that makes it.
CREATE TABLE schedule (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenant (id),
  workflow_id uuid NOT NULL REFERENCES workflow (id),
  due_us bigint NOT NULL,
  input text NOT NULL,
  metadata jsonb NOT NULL,
  priority smallint,
  parent_task_id uuid,
  run_id uuid,
  error text
) WITH (fillfactor = 70);

CREATE INDEX schedule_tenant ON schedule (tenant_id, id);

-- Down Migration

DROP TABLE schedule, cron;
