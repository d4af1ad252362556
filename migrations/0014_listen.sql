-- Up Migration

-- Of an event condition, what decides without its task's log whether an event may meet it: a condition a row. '' is no scope
-- and no expression. A guard is the hash of an equality that the expression begins with (engine/cel/equality-guard.ts), 0 is
-- none. As far as this table knows, rows of before are met by every event of their key; the log decides.
ALTER TABLE durable_listen
  ADD COLUMN condition smallint NOT NULL DEFAULT 0,
  ADD COLUMN scope text NOT NULL DEFAULT '',
  ADD COLUMN guard bigint NOT NULL DEFAULT 0,
  ADD COLUMN expression text NOT NULL DEFAULT '';

UPDATE durable_listen l SET condition = n.condition
FROM (SELECT task_id, branch, node, event_key, row_number() OVER (PARTITION BY task_id, branch, node ORDER BY event_key) - 1 AS condition FROM durable_listen) n
WHERE l.task_id = n.task_id AND l.branch = n.branch AND l.node = n.node AND l.event_key = n.event_key AND n.condition > 0;

ALTER TABLE durable_listen DROP CONSTRAINT durable_listen_pkey;
ALTER TABLE durable_listen ADD PRIMARY KEY (task_id, branch, node, condition);
DROP INDEX durable_listen_task;
CREATE INDEX durable_listen_key ON durable_listen (tenant_id, event_key, scope, guard);

-- Down Migration

DROP INDEX durable_listen_key;
CREATE INDEX durable_listen_task ON durable_listen (task_id, branch, node);
DELETE FROM durable_listen l USING durable_listen other
WHERE l.task_id = other.task_id AND l.branch = other.branch AND l.node = other.node AND l.event_key = other.event_key AND l.condition > other.condition;
ALTER TABLE durable_listen DROP CONSTRAINT durable_listen_pkey;
ALTER TABLE durable_listen ADD PRIMARY KEY (tenant_id, event_key, task_id, branch, node);
ALTER TABLE durable_listen DROP COLUMN condition, DROP COLUMN scope, DROP COLUMN guard, DROP COLUMN expression;
