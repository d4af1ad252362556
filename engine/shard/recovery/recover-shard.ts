import type { Sql } from '../../postgres/sql-client.ts';
import { processHost, type Host } from '../../base/host.ts';
import { ShardState } from '../../plan/state/shard-state.ts';
import type { WakingLimits } from '../../plan/state/waking-limits.ts';
import type { OwnedShard } from '../ownership/owned-shards.ts';
import { Slice } from '../../base/yield-in-slices.ts';
import { restoreDemands } from './recover-demands.ts';
import { loadDefinitions, loadWorkers, loadWorkersById } from './recover-definitions.ts';
import { recoverDurable } from './recover-durable.ts';
import { loadRuns } from './recover-runs.ts';
import { openAttempts, type OpenAttempt } from './open-attempts.ts';
import { loadTask, readLive, TasksFound, type LiveSqlRow } from './recover-tasks.ts';
import { loadTimers } from './recover-timers.ts';
import { restoreQueues } from './restore-queues.ts';
import { loadWaits } from './recover-waits.ts';
import { loadWakings } from './recover-wakings.ts';
import { restoreBatches } from './restore-batches.ts';
import { SetAside, type SetAsideRow } from './set-aside.ts';
import type { ShardContents } from './shard-contents.ts';
import type { TaskRow } from '../../plan/state/table/rows.ts';

/** Rows a page. */
const pageRows = 1_000;
/** Each pass leaves out the runs that the one before found unreadable; two are enough unless reading is not the fault. */
const mostPasses = 5;
const firstId = '00000000-0000-0000-0000-000000000000';

/** What recovery made of a shard. */
export interface Recovered {
  /** Equals `live`, but for what is set aside. */
  state: ShardState;
  /** The attempts whose fate on their worker is open. */
  open: OpenAttempt[];
  setAside: SetAsideRow[];
}

interface Source {
  client: Sql;
  content: ShardContents;
  nowUs: number;
  host: Host;
}

/**
 * Loads all that a shard remembers, and reads rows of this shard alone. A row that cannot be understood is set aside, with its
 * run where it is a task; the rest is loaded as if it were not there.
 */
export async function recoverShard(
  client: Sql,
  owned: OwnedShard,
  source: { content: ShardContents; nowUs: number; host?: Host; wakingLimits?: WakingLimits },
): Promise<Recovered> {
  const setAside = new SetAside();
  for (let pass = 1; ; pass++) {
    const state = new ShardState({ ...owned, ...limitsOf(source) });
    state.seenUs = source.nowUs;
    const before = setAside.runs;
    await load({ client, host: processHost, ...source }, state, setAside);
    if (setAside.runs === before) return { state, open: openAttempts(state), setAside: setAside.rows };
    if (pass === mostPasses)
      throw new Error(`pass ${pass} over shard ${owned.id} still finds runs that cannot be read`);
  }
}

function limitsOf({ wakingLimits }: { wakingLimits?: WakingLimits }): { wakingLimits?: WakingLimits } {
  return wakingLimits === undefined ? {} : { wakingLimits };
}

async function load({ client, content, nowUs, host }: Source, shard: ShardState, setAside: SetAside): Promise<void> {
  const slice = new Slice(host);
  const tables = { client, shard, tenantIds: content.tenantIds, setAside, slice };
  await loadDefinitions(tables);
  await loadWorkers(tables, nowUs);
  await loadTimers(tables);
  const found = new TasksFound();
  for (let after = firstId, full = true; full;) {
    const { rows } = await client.query<LiveSqlRow>(readLive, [shard.id, after, pageRows]);
    full = rows.length === pageRows;
    after = rows.at(-1)?.task_id ?? after;
    const unknown = rows.flatMap(({ worker_id: id }) => (id === null || shard.workersById.has(id) ? [] : [id]));
    await loadWorkersById(tables, unknown, nowUs);
    const waiting: { taskId: string; runId: string; row: TaskRow }[] = [];
    for (const sql of rows) {
      if (setAside.hasRun(sql.run_id)) continue;
      try {
        const row = loadTask(shard, sql);
        found.add(shard, row, sql);
        if (shard.stepOf(row).definition.conditions.length > 0)
          waiting.push({ taskId: sql.task_id, runId: sql.run_id, row });
      } catch (error) {
        setAside.failTask(sql.task_id, sql.run_id, error);
      }
      if (slice.isOver) await slice.pause();
    }
    await loadWaits(tables, waiting);
  }
  await loadRuns(tables, found.runs);
  await restoreDemands(tables, found.demanding);
  restoreBatches(tables, found.batched);
  await recoverDurable(tables, found.children);
  await loadWakings(tables);
  await restoreQueues(tables, found.queued);
  shard.undo.clear();
}
