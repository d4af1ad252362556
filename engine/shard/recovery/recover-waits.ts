import { LiveState } from '../../model/task/live-state.ts';
import type { ShardState } from '../../plan/state/shard-state.ts';
import type { StoredResolution, TaskWait } from '../../plan/conditions/task-wait.ts';
import type { ShardTables } from './shard-tables.ts';
import type { TaskRow } from '../../plan/state/table/rows.ts';

interface WaitSqlRow {
  task_id: string;
  since_us: string;
  since_seq: string;
  resolved: string;
}

export const readWaits = `SELECT w.task_id, w.since_us, w.since_seq, w.resolved FROM unnest($1::uuid[]) AS u (task_id) JOIN wait w ON w.task_id = u.task_id`;

/**
 * Conditions of loaded tasks. Those that began to count while no engine was up go on counting: sleeps are wall time.
 * @param tasks a page of those that have conditions
 */
export async function loadWaits(
  { client, shard, setAside, slice }: ShardTables,
  tasks: readonly { taskId: string; runId: string; row: TaskRow }[],
): Promise<void> {
  if (tasks.length === 0) return;
  const byId = new Map(tasks.map((task) => [task.taskId, task]));
  const { rows } = await client.query<WaitSqlRow>(readWaits, [[...byId.keys()]]);
  for (const sql of rows) {
    const task = byId.get(sql.task_id);
    if (task !== undefined) setAside.tryTask(task, () => restoreWait(shard, task.row, sql));
    if (slice.isOver) await slice.pause();
  }
}

function restoreWait(shard: ShardState, row: TaskRow, sql: WaitSqlRow): void {
  const { conditions } = shard.stepOf(row).definition;
  const wait: TaskWait = {
    sinceUs: Number(sql.since_us),
    sinceSeq: Number(sql.since_seq),
    states: conditions.map(() => 'open'),
    data: conditions.map(() => null),
    complained: conditions.map(() => false),
  };
  const resolved: StoredResolution[] = JSON.parse(sql.resolved);
  for (const { index, met, data } of resolved) {
    wait.states[index] = met ? 'met' : 'unmet';
    wait.data[index] = data;
  }
  shard.waits.set(row, wait);
  if (wait.sinceUs > 0 && shard.tasks.state[row] === LiveState.Gated) shard.eventWaiters.listen(row, shard.stepOf(row));
}
