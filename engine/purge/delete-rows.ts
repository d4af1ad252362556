import { setTimeout as delay } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import {
  byEvents,
  byRuns,
  byTasks,
  byTenant,
  liveOfTasks,
  nextEvents,
  nextRuns,
  tasksOfRuns,
  tenantItself,
  workflowsOfTenant,
} from './purge-statements.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

/** Runs or events of a slice. */
const sliceRuns = 1_000;
/** A run has up to a thousand tasks: a slice has fewer runs where these have so many. */
const sliceTasks = 10_000;
/** Rows a statement. */
const chunk = 10_000;
const workflowChunk = 100;
const firstId = '00000000-0000-0000-0000-000000000000';
const longestPauseMs = 1_000;

export interface Deletion {
  client: ClientBase;
  tenantId: TenantId;
  signal: AbortSignal;
  /** After each slice, with all rows deleted so far. */
  onProgress: (rows: number) => void;
}

/**
 * Every join goes by an index: of thousands of ids among millions of rows the planner would read whole partitions.
 * For the connection's life.
 */
export async function preparePurge(client: ClientBase): Promise<void> {
  await client.query(
    `SELECT set_config('enable_hashjoin', 'off', false), set_config('enable_mergejoin', 'off', false), set_config('enable_seqscan', 'off', false)`,
  );
}

/**
 * Deletes all rows of a tenant whose memory is empty, in slices, but for its own. Half of the time it does nothing: others
 * use the same disks. Ended anywhere, the next call goes on.
 * @returns false where it was stopped
 */
export async function deleteRows(deletion: Deletion): Promise<boolean> {
  const { client, tenantId, signal } = deletion;
  let rows = 0;
  const remove = async (
    statements: readonly string[],
    key: string | readonly string[],
    most = chunk,
  ): Promise<void> => {
    for (const statement of statements) {
      for (let removed = most; removed === most && !signal.aborted; rows += removed)
        removed = (await client.query(statement, [key, most])).rowCount ?? 0;
    }
  };
  const slice = async (work: () => Promise<void>): Promise<void> => {
    const startedAt = performance.now();
    await work();
    deletion.onProgress(rows);
    await delay(Math.min(performance.now() - startedAt, longestPauseMs), undefined, { signal }).catch(() => undefined);
  };

  for (
    let runIds = await readRuns(deletion, firstId);
    runIds.length > 0;
    runIds = await readRuns(deletion, runIds.at(-1) ?? firstId)
  ) {
    await slice(async () => {
      const taskIds = await readTasks(client, runIds);
      await remove(byTasks, taskIds);
      await remove(byRuns, runIds);
    });
    if (signal.aborted) return false;
  }
  for (
    let eventIds = await readEvents(deletion, firstId);
    eventIds.length > 0;
    eventIds = await readEvents(deletion, eventIds.at(-1) ?? firstId)
  ) {
    await slice(() => remove(byEvents, eventIds));
    if (signal.aborted) return false;
  }
  for (const statement of byTenant) await slice(() => remove([statement], tenantId));
  await slice(() => remove([workflowsOfTenant], tenantId, workflowChunk));
  return !signal.aborted;
}

/** The last step: as long as the row is there, the next look begins again. */
export async function deleteTenant(client: ClientBase, tenantId: TenantId): Promise<void> {
  await client.query(tenantItself, [tenantId]);
}

/** The next runs, as many as a slice takes. */
async function readRuns({ client, tenantId }: Deletion, after: string): Promise<string[]> {
  const { rows } = await client.query<{ id: string; tasks: number }>(nextRuns, [tenantId, after, sliceRuns]);
  let tasks = 0;
  const fitting = rows.findIndex((row) => (tasks += row.tasks) > sliceTasks);
  return rows.slice(0, fitting < 0 ? rows.length : Math.max(fitting, 1)).map((row) => row.id);
}

async function readEvents({ client, tenantId }: Deletion, after: string): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(nextEvents, [tenantId, after, sliceRuns]);
  return rows.map((row) => row.id);
}

async function readTasks(client: ClientBase, runIds: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(tasksOfRuns, [runIds]);
  const taskIds = rows.map((row) => row.id);
  const live = await client.query<{ count: number }>(liveOfTasks, [taskIds]);
  const unfinished = live.rows[0]?.count ?? 0;
  if (unfinished > 0)
    throw new Error(
      `${unfinished} tasks of a tenant that is being deleted are unfinished: another engine has taken its shard over`,
    );
  return taskIds;
}
