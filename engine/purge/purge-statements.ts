import { tasksOf } from '../postgres/rows-of-a-run.ts';

/**
 * What deletes a tenant's rows. Each takes `$1` and a number of rows, and is repeated until it finds fewer. Never a row of
 * `live`: the owner writes those.
 */

/** By runs, oldest first, with how many tasks each has. */
export const nextRuns = `
  SELECT r.id, (SELECT count(*) FROM ${tasksOf('r')} t)::integer AS tasks
  FROM (SELECT id, one_task FROM run WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3) r ORDER BY r.id`;

export const tasksOfRuns = `SELECT t.id FROM unnest($1::uuid[]) AS u (id) JOIN run r ON r.id = u.id JOIN LATERAL ${tasksOf('r')} t ON true`;

/** Invariant: memory has no task of the tenant, and `live` equals memory. */
export const liveOfTasks = `SELECT count(*)::integer AS count FROM unnest($1::uuid[]) AS u (id) JOIN live l ON l.task_id = u.id`;

export const nextEvents = `SELECT id FROM event WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3`;

/** By the ids of tasks. */
export const byTasks = [
  `DELETE FROM result x USING (SELECT r.task_id, r.generation FROM unnest($1::uuid[]) AS u (id) JOIN result r ON r.task_id = u.id LIMIT $2) d
   WHERE x.task_id = d.task_id AND x.generation = d.generation`,
  `DELETE FROM history x USING (SELECT h.task_id, h.seq FROM unnest($1::uuid[]) AS u (id) JOIN history h ON h.task_id = u.id LIMIT $2) d
   WHERE x.task_id = d.task_id AND x.seq = d.seq`,
  `DELETE FROM log_line x USING (SELECT l.task_id, l.id FROM unnest($1::uuid[]) AS u (id) JOIN log_line l ON l.task_id = u.id LIMIT $2) d
   WHERE x.task_id = d.task_id AND x.id = d.id`,
  `DELETE FROM durable_result x USING (SELECT r.task_id, r.branch, r.node, r.condition FROM unnest($1::uuid[]) AS u (id) JOIN durable_result r ON r.task_id = u.id LIMIT $2) d
   WHERE x.task_id = d.task_id AND x.branch = d.branch AND x.node = d.node AND x.condition = d.condition`,
  `DELETE FROM durable_entry x USING (SELECT e.task_id, e.branch, e.node FROM unnest($1::uuid[]) AS u (id) JOIN durable_entry e ON e.task_id = u.id LIMIT $2) d
   WHERE x.task_id = d.task_id AND x.branch = d.branch AND x.node = d.node`,
  `DELETE FROM durable_listen x USING (SELECT l.task_id, l.branch, l.node, l.condition FROM unnest($1::uuid[]) AS u (id) JOIN durable_listen l ON l.task_id = u.id LIMIT $2) d
   WHERE x.task_id = d.task_id AND x.branch = d.branch AND x.node = d.node AND x.condition = d.condition`,
  `DELETE FROM wait x USING (SELECT w.task_id FROM unnest($1::uuid[]) AS u (id) JOIN wait w ON w.task_id = u.id LIMIT $2) d WHERE x.task_id = d.task_id`,
] as const;

/** By the ids of runs, the runs last: as long as one is there, the next try finds it. */
export const byRuns = [
  `DELETE FROM stream_chunk x USING (SELECT c.run_id, c.task_id, c.attempt, c.number FROM unnest($1::uuid[]) AS u (id) JOIN stream_chunk c ON c.run_id = u.id LIMIT $2) d
   WHERE x.run_id = d.run_id AND x.task_id = d.task_id AND x.attempt = d.attempt AND x.number = d.number`,
  `DELETE FROM run_end x USING (SELECT e.run_id, e.tenant_id, e.status, e.generation FROM unnest($1::uuid[]) AS u (id) JOIN run_end e ON e.run_id = u.id LIMIT $2) d
   WHERE x.run_id = d.run_id AND x.tenant_id = d.tenant_id AND x.status = d.status AND x.generation = d.generation`,
  `DELETE FROM task x USING (SELECT t.id FROM unnest($1::uuid[]) AS u (id) JOIN task t ON t.run_id = u.id LIMIT $2) d WHERE x.id = d.id`,
  `DELETE FROM run x USING (SELECT r.id FROM unnest($1::uuid[]) AS u (id) JOIN run r ON r.id = u.id LIMIT $2) d WHERE x.id = d.id`,
] as const;

/** By the ids of events, the events last. */
export const byEvents = [
  `DELETE FROM event_run x USING (SELECT e.event_id, e.run_id FROM unnest($1::uuid[]) AS u (id) JOIN event_run e ON e.event_id = u.id LIMIT $2) d
   WHERE x.event_id = d.event_id AND x.run_id = d.run_id`,
  `DELETE FROM event x USING (SELECT e.id FROM unnest($1::uuid[]) AS u (id) JOIN event e ON e.id = u.id LIMIT $2) d WHERE x.id = d.id`,
] as const;

/** By the tenant's id, in the order of the foreign keys. */
export const byTenant = [
  `DELETE FROM span x USING (SELECT id FROM span WHERE tenant_id = $1 LIMIT $2) d WHERE x.id = d.id`,
  `DELETE FROM idempotency x USING (SELECT tenant_id, key FROM idempotency WHERE tenant_id = $1 LIMIT $2) d WHERE x.tenant_id = d.tenant_id AND x.key = d.key`,
  `DELETE FROM event_waking x USING (SELECT shard, seq FROM event_waking WHERE tenant_id = $1 LIMIT $2) d WHERE x.shard = d.shard AND x.seq = d.seq`,
  `DELETE FROM webhook_delivery x USING (SELECT d.webhook_id, d.key FROM webhook w JOIN webhook_delivery d ON d.webhook_id = w.id WHERE w.tenant_id = $1 LIMIT $2) d
   WHERE x.webhook_id = d.webhook_id AND x.key = d.key`,
  `DELETE FROM webhook x USING (SELECT id FROM webhook WHERE tenant_id = $1 LIMIT $2) d WHERE x.id = d.id`,
  `DELETE FROM cron x USING (SELECT id FROM cron WHERE tenant_id = $1 LIMIT $2) d WHERE x.id = d.id`,
  `DELETE FROM schedule x USING (SELECT id FROM schedule WHERE tenant_id = $1 LIMIT $2) d WHERE x.id = d.id`,
  `DELETE FROM filter x USING (SELECT id FROM filter WHERE tenant_id = $1 LIMIT $2) d WHERE x.id = d.id`,
  `DELETE FROM rate_limit x USING (SELECT tenant_id, key FROM rate_limit WHERE tenant_id = $1 LIMIT $2) d WHERE x.tenant_id = d.tenant_id AND x.key = d.key`,
  `DELETE FROM worker x USING (SELECT id FROM worker WHERE tenant_id = $1 LIMIT $2) d WHERE x.id = d.id`,
  `DELETE FROM workflow_version x USING (SELECT v.id FROM workflow w JOIN workflow_version v ON v.workflow_id = w.id WHERE w.tenant_id = $1 LIMIT $2) d WHERE x.id = d.id`,
  `DELETE FROM token x USING (SELECT id FROM token WHERE tenant_id = $1 LIMIT $2) d WHERE x.id = d.id`,
] as const;

/** Apart from the others: for each Postgres looks for schedules and filters that refer to it, without an index. */
export const workflowsOfTenant = `DELETE FROM workflow x USING (SELECT id FROM workflow WHERE tenant_id = $1 LIMIT $2) d WHERE x.id = d.id`;

export const tenantItself = `DELETE FROM tenant WHERE id = $1 AND deleted_at IS NOT NULL`;
