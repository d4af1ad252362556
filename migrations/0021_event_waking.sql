-- An event wakes what waits for it in transactions of bounded size (docs/adr/0053-waking-in-pages.md). What waits is compared
-- with the event by numbers of the shard's sequence: what began to wait after it is not woken by it.

-- Up Migration

-- Events that have still to be told to what waited for them when they came. In the order of their numbers.
CREATE TABLE event_waking (
  shard smallint NOT NULL,
  seq bigint NOT NULL,
  event_id uuid NOT NULL,
  tenant_id uuid NOT NULL,
  key text NOT NULL,
  PRIMARY KEY (shard, seq)
);
CREATE INDEX event_waking_tenant ON event_waking (tenant_id);

-- Since when they listen. What listens already does so before every event that is yet to come.
ALTER TABLE wait ADD COLUMN since_seq bigint NOT NULL DEFAULT 0;
ALTER TABLE durable_listen ADD COLUMN seq bigint NOT NULL DEFAULT 0;

-- Those of one key, scope and guard are read in pages.
DROP INDEX durable_listen_key;
CREATE INDEX durable_listen_key ON durable_listen (tenant_id, event_key, scope, guard, task_id, branch, node, condition);

-- Down Migration

DROP INDEX durable_listen_key;
CREATE INDEX durable_listen_key ON durable_listen (tenant_id, event_key, scope, guard);
ALTER TABLE durable_listen DROP COLUMN seq;
ALTER TABLE wait DROP COLUMN since_seq;
DROP TABLE event_waking;
