import { constraintOf, placementOf } from '../../plan/queue/task-constraint.ts';
import type { Sql } from '../../postgres/sql-client.ts';
import { processHost, type Host } from '../../base/host.ts';
import { isLiveState, LiveFlag, LiveState } from '../../model/task/live-state.ts';
import { ChangeSet } from '../../plan/state/change-set.ts';
import { joinQueue } from '../../plan/queue/join-queue.ts';
import { standForLine } from '../../plan/rate-limits/wait-for-units.ts';
import type { Plan } from '../../plan/state/plan.ts';
import { restoreGathered } from '../../plan/batch-tasks/gather-task.ts';
import { loadedDue } from '../../plan/timers/stored-due-time.ts';
import { ShardState } from '../../plan/state/shard-state.ts';
import type { WakingLimits } from '../../plan/state/waking-limits.ts';
import type { OwnedShard } from '../ownership/owned-shards.ts';
import { Slice } from '../../base/yield-in-slices.ts';
import { restoreDemands, storedDemands, type DemandingTask } from './recover-demands.ts';
import { rankAfterRestart } from '../../plan/queue/rank.ts';
import { loadDefinitions, loadWorkers, loadWorkersById } from './recover-definitions.ts';
import { recoverDurable } from './recover-durable.ts';
import { loadRuns, type MultiTaskRun } from './recover-runs.ts';
import { loadTimers } from './recover-timers.ts';
import { loadWaits } from './recover-waits.ts';
import { loadWakings } from './recover-wakings.ts';
import { restoreBatches, type BatchedTask } from './restore-batches.ts';
import { SetAside, type SetAsideRow } from './set-aside.ts';
import type { ShardContents } from './shard-contents.ts';
import type { ShardTables } from './shard-tables.ts';
import { sortInSlices } from './sort-in-slices.ts';
import type { TaskRow } from '../../plan/state/table/rows.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** Rows a page. */
const pageRows = 1_000;
/** Each pass leaves out the runs that the one before found unreadable; two are enough unless reading is not the fault. */
const mostPasses = 5;
const firstId = '00000000-0000-0000-0000-000000000000';

interface LiveSqlRow {
  task_id: string;
  run_id: string;
  tenant_id: TenantId;
  version_id: string;
  shard: number;
  step: number;
  state: number;
  flags: number;
  priority: number;
  generation: number;
  attempt: number;
  retries: number;
  reassigns: number;
  deaths: number;
  unanswered: number;
  seq: string;
  due_us: string;
  worker_id: string | null;
  batch_id: string | null;
  demands: string | null;
  invocation: number;
  sticky_worker_id: string | null;
}

/** A page at a time; the order of queues is restored afterwards from seq. */
export const readLive = `
  SELECT task_id, run_id, tenant_id, version_id, shard, step, state, flags, priority, generation, attempt, retries, reassigns, deaths, unanswered, seq, due_us, worker_id, batch_id, demands, invocation, sticky_worker_id
  FROM live WHERE shard = $1 AND task_id > $2 ORDER BY task_id LIMIT $3`;

/** An attempt whose worker has still to be told, or may never have received it. */
export interface OpenAttempt {
  taskId: string;
  runId: string;
  tenantId: TenantId;
  workerId: string;
  attempt: number;
  stepName: string;
  action: string;
  invocation: number | null;
  cancelling: boolean;
}

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

/** What a task has beside its row, to be restored once all tasks are there. */
class Found {
  readonly runs = new Map<string, MultiTaskRun>();
  readonly queued: TaskRow[] = [];
  readonly demanding: DemandingTask[] = [];
  readonly batched: BatchedTask[] = [];
  /** Runs that are marked as children of durable tasks. */
  readonly children: string[] = [];

  add(shard: ShardState, row: TaskRow, sql: LiveSqlRow): void {
    if (sql.run_id !== sql.task_id || shard.stepOf(row).version.definition.steps.length > 1) {
      const run = this.runs.get(sql.run_id) ?? {
        generation: sql.generation,
        versionId: sql.version_id,
        priority: sql.priority,
        rows: [],
      };
      this.runs.set(sql.run_id, run);
      run.rows.push(row);
    }
    if ((sql.flags & LiveFlag.DurableChild) !== 0) this.children.push(sql.run_id);
    const task = { row, taskId: sql.task_id, runId: sql.run_id };
    const stored = sql.demands === null ? null : storedDemands(sql.demands);
    if (stored !== null)
      this.demanding.push({ ...task, tenantId: sql.tenant_id, stored, stickyWorkerId: sql.sticky_worker_id });
    if (
      sql.state === LiveState.Batching ||
      (sql.state === LiveState.RateLimited && shard.stepOf(row).definition.batch === null) ||
      (sql.state === LiveState.Ready && (stored === null || (sql.flags & LiveFlag.Admitted) !== 0))
    )
      this.queued.push(row);
    if (sql.batch_id !== null) this.batched.push({ ...task, batchId: sql.batch_id, stored });
  }
}

async function load({ client, content, nowUs, host }: Source, shard: ShardState, setAside: SetAside): Promise<void> {
  const slice = new Slice(host);
  const tables = { client, shard, tenantIds: content.tenantIds, setAside, slice };
  await loadDefinitions(tables);
  await loadWorkers(tables, nowUs);
  await loadTimers(tables);
  const found = new Found();
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

/** Tasks go back to their places in the order in which they became ready. */
async function restoreQueues({ shard, setAside, slice }: ShardTables, queued: readonly TaskRow[]): Promise<void> {
  const { tasks } = shard;
  const plan = { state: shard, nowUs: shard.seenUs, changes: new ChangeSet() };
  for (const row of await sortInSlices(queued, (each) => tasks.seq[each] ?? 0, slice)) {
    try {
      const rank = rankAfterRestart(shard.tasks, row);
      if (tasks.state[row] === LiveState.Batching) restoreGathered(shard, row, rank, placementOf(shard, row));
      else restoreQueued(plan, row, rank);
    } catch (error) {
      setAside.failTask(tasks.id(row), shard.runIdOf(row), error);
    }
    if (!slice.isOver) continue;
    // Nothing of it is taken back: a million inverses would only fill memory.
    shard.undo.clear();
    await slice.pause();
  }
}

function restoreQueued(plan: Plan, row: TaskRow, rank: number): void {
  const { state } = plan;
  joinQueue(plan, row, rank);
  if (state.tasks.state[row] !== LiveState.RateLimited) return;
  const line = state.stepOf(row).queue.lineOf(constraintOf(state, row));
  if (line !== undefined) standForLine(plan, line, row);
}

function loadTask(shard: ShardState, sql: LiveSqlRow): TaskRow {
  const { tasks } = shard;
  const version = shard.versions.get(sql.version_id);
  if (version === undefined)
    throw new Error(`task ${sql.task_id} is of version ${sql.version_id}, which does not exist`);
  if (!isLiveState(sql.state))
    throw new Error(
      `task ${sql.task_id} is in the unknown state ${sql.state}: was this database written by a newer version?`,
    );
  if (version.definition.steps[sql.step] === undefined)
    throw new Error(`task ${sql.task_id} is of step ${sql.step}, which its workflow does not have`);
  const worker = sql.worker_id === null ? null : shard.workersById.get(sql.worker_id);
  if (worker === undefined)
    throw new Error(`task ${sql.task_id} runs on worker ${sql.worker_id}, which does not exist`);
  const row = tasks.insert(sql.task_id);
  tasks.persisted[row] = 1;
  tasks.state[row] = sql.state;
  tasks.flags[row] = sql.flags;
  tasks.priority[row] = sql.priority;
  tasks.generation[row] = sql.generation;
  tasks.attempt[row] = sql.attempt;
  tasks.retries[row] = sql.retries;
  tasks.reassigns[row] = sql.reassigns;
  tasks.deaths[row] = sql.deaths;
  tasks.unanswered[row] = sql.unanswered;
  tasks.invocation[row] = sql.invocation;
  tasks.step[row] = version.firstStep + sql.step;
  tasks.seq[row] = Number(sql.seq);
  shard.deadlines.set(row, loadedDue(shard, sql.state, Number(sql.due_us)));
  if (worker !== null) {
    tasks.worker[row] = worker.index;
    worker.hold(row);
    shard.deadlines.hold(row);
    if (sql.batch_id === null && (sql.flags & LiveFlag.SlotReleased) === 0) worker.occupy(shard.stepOf(row).slots);
  }
  return row;
}

function openAttempts(shard: ShardState): OpenAttempt[] {
  const open: OpenAttempt[] = [];
  for (const worker of shard.workers) {
    for (const row of worker?.tasks ?? []) {
      const cancelling = shard.tasks.state[row] === LiveState.Cancelling;
      if (worker === undefined || (!cancelling && ((shard.tasks.flags[row] ?? 0) & LiveFlag.Started) !== 0)) continue;
      const step = shard.stepOf(row);
      open.push({
        taskId: shard.tasks.id(row),
        runId: shard.runIdOf(row),
        tenantId: step.version.tenantId,
        workerId: worker.id,
        attempt: shard.tasks.attempt[row] ?? 0,
        stepName: step.definition.name,
        action: step.definition.action,
        invocation: step.definition.durable ? (shard.tasks.invocation[row] ?? 0) : null,
        cancelling,
      });
    }
  }
  return open;
}
