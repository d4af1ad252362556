import { pointOf } from '../facts/stored-durable-logs.ts';
import type { ShardTables } from './shard-tables.ts';

interface LinkSqlRow {
  child_run_id: string;
  task_id: string;
  branch: number;
  node: number;
}

interface PointSqlRow {
  task_id: string;
  branch: number;
  node: number;
  asked: string;
}

/** By runs that are marked as children: the nodes that wait for them. */
export const readLinks = `
  SELECT e.child_run_id, e.task_id, e.branch, e.node
  FROM unnest($1::uuid[]) AS u (id)
  JOIN durable_entry e ON e.child_run_id = u.id
  LEFT JOIN durable_result r ON r.task_id = e.task_id AND r.branch = e.branch AND r.node = e.node AND r.condition = -1
  WHERE r.task_id IS NULL`;

export const readPoints = `
  SELECT e.task_id, e.branch, e.node, e.asked FROM live l JOIN durable_entry e ON e.task_id = l.task_id
  WHERE l.shard = $1 AND e.kind = 0 ORDER BY e.task_id, e.branch`;

export const readListening = `
  SELECT EXISTS (SELECT FROM unnest($1::uuid[]) AS u (tenant_id) JOIN durable_listen d ON d.tenant_id = u.tenant_id) AS listens`;

/** Runs a page. */
const pageRuns = 1_000;

/**
 * What a shard remembers of durable tasks beside their rows of `live`; their logs are read when something happens to them.
 * @param children runs that are marked as children of durable tasks
 */
export async function recoverDurable(tables: ShardTables, children: readonly string[]): Promise<void> {
  const { client, shard, tenantIds, setAside, slice } = tables;
  for (let from = 0; from < children.length; from += pageRuns) {
    const { rows } = await client.query<LinkSqlRow>(readLinks, [children.slice(from, from + pageRuns)]);
    for (const row of rows) {
      shard.durable.children.set(row.child_run_id, { parentTaskId: row.task_id, branch: row.branch, node: row.node });
      await slice.pause();
    }
  }
  const { rows: points } = await client.query<PointSqlRow>(readPoints, [shard.id]);
  for (const point of points) {
    const row = shard.tasks.find(point.task_id);
    if (row === undefined) continue;
    setAside.tryTask({ taskId: point.task_id, runId: shard.runIdOf(row) }, () =>
      shard.durable.branches.set(row, [...(shard.durable.branches.get(row) ?? []), pointOf(point)]),
    );
    await slice.pause();
  }
  const { rows: listening } = await client.query<{ listens: boolean }>(readListening, [tenantIds]);
  shard.durable.listens = listening[0]?.listens === true;
}
