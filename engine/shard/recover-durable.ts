import type { ClientBase } from 'pg';
import { shardOf } from '../model/shard-of.ts';
import type { ShardState } from '../plan/state/shard-state.ts';
import { pointOf } from './facts/durable-logs.ts';
import type { Slice } from './slice.ts';

interface LinkSqlRow {
  child_run_id: string;
  task_id: string;
  branch: number;
  node: number;
}

interface PointSqlRow {
  task_id: string;
  tenant_id: string;
  branch: number;
  node: number;
  asked: string;
}

/** By runs that are marked as children: the nodes that wait for them. */
const readLinks = `
  SELECT e.child_run_id, e.task_id, e.branch, e.node
  FROM unnest($1::uuid[]) AS u (id)
  JOIN durable_entry e ON e.child_run_id = u.id
  LEFT JOIN durable_result r ON r.task_id = e.task_id AND r.branch = e.branch AND r.node = e.node AND r.condition = -1
  WHERE r.task_id IS NULL`;

const readPoints = `
  SELECT l.task_id, l.tenant_id, e.branch, e.node, e.asked FROM durable_entry e JOIN live l ON l.task_id = e.task_id
  WHERE e.kind = 0 ORDER BY e.task_id, e.branch`;

const readListening = `SELECT DISTINCT tenant_id FROM durable_listen`;

/**
 * What shards remember of durable tasks beside their rows of `live`; their logs are read when something happens to them.
 * @param children runs that are marked as children of durable tasks, by shard
 */
export async function recoverDurable(
  client: ClientBase,
  shards: ReadonlyMap<number, ShardState>,
  children: ReadonlyMap<string, ShardState>,
  slice: Slice,
): Promise<void> {
  if (children.size > 0) {
    const { rows } = await client.query<LinkSqlRow>(readLinks, [[...children.keys()]]);
    for (const row of rows) {
      children
        .get(row.child_run_id)
        ?.durable.children.set(row.child_run_id, { parentTaskId: row.task_id, branch: row.branch, node: row.node });
      await slice.pause();
    }
  }
  const { rows: points } = await client.query<PointSqlRow>(readPoints);
  for (const row of points) {
    const shard = shards.get(shardOf(row.tenant_id));
    const task = shard?.tasks.find(row.task_id) ?? -1;
    if (shard === undefined || task < 0) continue;
    shard.durable.branches.set(task, [...(shard.durable.branches.get(task) ?? []), pointOf(row)]);
  }
  const { rows: listening } = await client.query<{ tenant_id: string }>(readListening);
  for (const { tenant_id } of listening) {
    const shard = shards.get(shardOf(tenant_id));
    if (shard !== undefined) shard.durable.listens = true;
  }
}
