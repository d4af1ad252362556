-- The lease is one row for each engine process, in a table of its own: a transaction that hangs on any lock holds the rows of
-- its shards, and must not keep the lease from being renewed. Tasks are found by their shard. What recovery could not read
-- is named.

-- Up Migration

-- A process that owns shards, or did. Its lease is in force until expires_at.
CREATE TABLE shard_owner (
  id uuid PRIMARY KEY,
  expires_at timestamptz NOT NULL
) WITH (fillfactor = 20);

-- Since when nobody has served the shard; null while it is served. What it adds to lost_us is added when it is served again.
ALTER TABLE shard ADD COLUMN absent_since timestamptz;
UPDATE shard
SET absent_since = CASE WHEN epoch = 0 THEN NULL WHEN owner IS NULL THEN expires_at ELSE least(expires_at - interval '5 s', now()) END,
  owner = NULL,
  epoch = CASE WHEN owner IS NULL THEN epoch ELSE epoch + 1 END;
ALTER TABLE shard DROP COLUMN expires_at, DROP COLUMN backend_pid, DROP COLUMN backend_start;

-- Neither column ever changes, so updates of live stay HOT.
CREATE INDEX live_shard ON live (shard, task_id);

-- What a shard's last recovery could not read: it stays where it is, and the shard goes on without it.
CREATE TABLE set_aside (
  shard smallint NOT NULL,
  kind text NOT NULL,
  id text NOT NULL,
  reason text NOT NULL,
  since timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shard, kind, id)
);

-- Down Migration

DROP TABLE set_aside;
DROP INDEX live_shard;
ALTER TABLE shard
  ADD COLUMN expires_at timestamptz,
  ADD COLUMN backend_pid integer,
  ADD COLUMN backend_start timestamptz;
UPDATE shard
SET expires_at = coalesce(absent_since, CASE WHEN epoch = 0 THEN NULL ELSE now() END),
  owner = NULL,
  epoch = CASE WHEN owner IS NULL THEN epoch ELSE epoch + 1 END;
ALTER TABLE shard DROP COLUMN absent_since;
DROP TABLE shard_owner;
