import type { ClientBase } from 'pg';
import { LiveState } from '../model/live-state.ts';
import { shardOf } from '../model/shard-of.ts';
import type { ShardState } from '../plan/state/shard-state.ts';
import type { StoredResolution, TaskWait } from '../plan/conditions/task-wait.ts';
import type { Slice } from './slice.ts';

interface WaitSqlRow {
  task_id: string;
  tenant_id: string;
  since_us: string;
  resolved: string;
}

const pageRows = 2000;

const readWaits = `SELECT task_id, tenant_id, since_us, resolved FROM wait WHERE task_id > $1 ORDER BY task_id LIMIT $2`;

/** Conditions of the loaded tasks. Those that began to count while no engine was up go on counting: sleeps are wall time. */
export async function loadWaits(
  client: ClientBase,
  shards: ReadonlyMap<number, ShardState>,
  slice: Slice,
): Promise<void> {
  for (let after = '00000000-0000-0000-0000-000000000000', full = true; full;) {
    const { rows } = await client.query<WaitSqlRow>(readWaits, [after, pageRows]);
    full = rows.length === pageRows;
    for (const row of rows) {
      after = row.task_id;
      const shard = shards.get(shardOf(row.tenant_id));
      if (shard !== undefined) restoreWait(shard, row);
      await slice.pause();
    }
  }
}

function restoreWait(shard: ShardState, sql: WaitSqlRow): void {
  const row = shard.tasks.find(sql.task_id);
  if (row < 0) return;
  const { conditions } = shard.stepOf(row).definition;
  const wait: TaskWait = {
    sinceUs: Number(sql.since_us),
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
  if (wait.sinceUs > 0 && shard.tasks.state[row] === LiveState.Gated) shard.listenForEvents(row);
}
