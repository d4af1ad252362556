import type { ClientBase } from 'pg';
import { isLiveState, LiveFlag, LiveState } from '../model/live-state.ts';
import { completeDefinition, type StoredDefinition } from '../model/definition.ts';
import { shardOf } from '../model/shard-of.ts';
import { RunStatus, type TerminalStatus } from '../model/status.ts';
import { ChangeSet } from '../plan/state/change-set.ts';
import { constraintOf, enqueue, placementOf } from '../plan/queue/enqueue.ts';
import { restoreGathered } from '../plan/batch-tasks/gather-task.ts';
import { loadedDue } from '../plan/state/live-rows.ts';
import type { Plan } from '../plan/state/plan.ts';
import { standForLine } from '../plan/rate-limits/spend-units.ts';
import type { LiveRun, ShardState } from '../plan/state/shard-state.ts';
import { loadTimers } from './recover-timers.ts';
import { restoreBatches, type BatchedTask } from './recover-batches.ts';
import { recoverDurable } from './recover-durable.ts';
import { Slice } from './slice.ts';
import { loadWaits } from './recover-waits.ts';
import {
  loadFilters,
  loadPaused,
  loadRateLimits,
  rankAfterRestart,
  restoreDemands,
  type DemandingTask,
} from './recover-demands.ts';

/** Rows a page. */
const pageRows = 2000;

interface VersionSqlRow {
  id: string;
  workflow_id: string;
  tenant_id: string;
  ordinal: number;
  checksum: string;
  definition: StoredDefinition;
}

interface WorkerSqlRow {
  id: string;
  tenant_id: string;
  name: string;
  actions: string[];
  slots: Record<string, number>;
  labels: Record<string, string | number>;
  runtime: Record<string, string>;
  paused: boolean;
  ended: boolean;
}

interface LiveSqlRow {
  task_id: string;
  run_id: string;
  tenant_id: string;
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

interface RunTaskSqlRow {
  run_id: string;
  id: string;
  step: number;
  status: number | null;
  skipped: boolean | null;
  bytes: number | null;
}

const readVersions = `SELECT id, workflow_id, tenant_id, ordinal, checksum, definition FROM workflow_version ORDER BY workflow_id, ordinal`;

/** Workers that may come back, or still hold tasks. Those silent for a day hold none: their tasks were reassigned. */
const readWorkers = `
  SELECT id, tenant_id, name, actions, slots, labels, runtime, paused, ended_at IS NOT NULL AS ended FROM worker
  WHERE (ended_at IS NULL AND coalesce(last_heartbeat_at, registered_at) > now() - interval '1 day')
    OR id IN (SELECT worker_id FROM live WHERE worker_id IS NOT NULL)
  ORDER BY id`;

/** By primary key, a page at a time; the order of queues is restored afterwards from seq. */
const readLive = `
  SELECT task_id, run_id, tenant_id, version_id, shard, step, state, flags, priority, generation, attempt, retries, reassigns, deaths, unanswered, seq, due_us, worker_id, batch_id, demands, invocation, sticky_worker_id
  FROM live WHERE task_id > $1 ORDER BY task_id LIMIT $2`;

/** All tasks of runs with several steps, with how the ended ones ended in the run's generation. */
const readRunTasks = `
  SELECT t.run_id, t.id, t.step, x.status, x.output = '{"skipped": true}' AS skipped, octet_length(x.output) AS bytes
  FROM unnest($1::uuid[], $2::integer[]) AS u (run_id, generation)
  JOIN task t ON t.run_id = u.run_id
  LEFT JOIN live l ON l.task_id = t.id
  LEFT JOIN LATERAL (
    SELECT x.status, x.output FROM result x WHERE x.task_id = t.id AND x.generation <= u.generation AND x.generation >= coalesce(l.generation, 1)
    ORDER BY x.generation DESC LIMIT 1
  ) x ON true
  ORDER BY t.run_id, t.step`;

/** An attempt whose worker has still to be told, or may never have received it. */
export interface OpenAttempt {
  taskId: string;
  runId: string;
  tenantId: string;
  workerId: string;
  attempt: number;
  stepName: string;
  action: string;
  invocation: number | null;
  cancelling: boolean;
}

/**
 * Loads all that the shards remember. Memory afterwards equals `live`.
 * @returns the attempts whose fate on their worker is open
 */
export async function recoverShards(
  client: ClientBase,
  shards: ReadonlyMap<number, ShardState>,
  nowUs: number,
): Promise<OpenAttempt[]> {
  await loadVersions(client, shards);
  await loadWorkers(client, shards, nowUs);
  await loadPaused(client, shards);
  await loadFilters(client, shards);
  await loadRateLimits(client, shards);
  await loadTimers(client, shards);
  const slice = new Slice();
  const multi = new Map<
    ShardState,
    Map<string, { generation: number; versionId: string; priority: number; rows: number[] }>
  >();
  const queued: { shard: ShardState; row: number }[] = [];
  const demanding: DemandingTask[] = [];
  const inBatches: BatchedTask[] = [];
  const children = new Map<string, ShardState>();
  for (let after = '00000000-0000-0000-0000-000000000000', full = true; full;) {
    const { rows } = await client.query<LiveSqlRow>(readLive, [after, pageRows]);
    full = rows.length === pageRows;
    for (const sql of rows) {
      after = sql.task_id;
      const shard = shards.get(sql.shard);
      if (shard === undefined) continue;
      const row = loadTask(shard, sql);
      if (sql.run_id !== sql.task_id || shard.stepOf(row).version.definition.steps.length > 1) {
        const runs = multi.get(shard) ?? new Map();
        multi.set(shard, runs);
        const run = runs.get(sql.run_id) ?? {
          generation: sql.generation,
          versionId: sql.version_id,
          priority: sql.priority,
          rows: [],
        };
        runs.set(sql.run_id, run);
        run.rows.push(row);
      }
      if ((sql.flags & LiveFlag.DurableChild) !== 0) children.set(sql.run_id, shard);
      if (sql.demands !== null)
        demanding.push({
          shard,
          row,
          runId: sql.run_id,
          tenantId: sql.tenant_id,
          demands: sql.demands,
          stickyWorkerId: sql.sticky_worker_id,
        });
      if (
        sql.state === LiveState.Batching ||
        (sql.state === LiveState.RateLimited && shard.stepOf(row).definition.batch === null) ||
        (sql.state === LiveState.Ready && (sql.demands === null || (sql.flags & LiveFlag.Admitted) !== 0))
      )
        queued.push({ shard, row });
      if (sql.batch_id !== null) inBatches.push({ shard, row, batchId: sql.batch_id, demands: sql.demands });
      await slice.pause();
    }
  }
  for (const [shard, runs] of multi) await loadRuns(client, shard, runs, slice);
  restoreDemands(demanding);
  await loadWaits(client, shards, slice);
  restoreBatches(inBatches);
  await recoverDurable(client, shards, children, slice);
  queued.sort((a, b) => (a.shard.tasks.seq[a.row] ?? 0) - (b.shard.tasks.seq[b.row] ?? 0));
  for (const { shard, row } of queued) {
    const rank = rankAfterRestart(shard, row);
    if (shard.tasks.state[row] === LiveState.Batching) restoreGathered(shard, row, rank, placementOf(shard, row));
    else restoreQueued({ state: shard, nowUs: shard.seq, changes: new ChangeSet() }, row, rank);
    await slice.pause();
  }
  for (const shard of shards.values()) shard.undo.clear();
  return [...shards.values()].flatMap(openAttempts);
}

function restoreQueued(plan: Plan, row: number, rank: number): void {
  const { state } = plan;
  enqueue(plan, row, rank);
  if (state.tasks.state[row] !== LiveState.RateLimited) return;
  const line = state.stepOf(row).queue.lineOf(constraintOf(state, row));
  if (line !== undefined) standForLine(plan, line, row);
}

async function loadVersions(client: ClientBase, shards: ReadonlyMap<number, ShardState>): Promise<void> {
  const { rows } = await client.query<VersionSqlRow>(readVersions);
  for (const row of rows) {
    shards.get(shardOf(row.tenant_id))?.addVersion({
      tenantId: row.tenant_id,
      workflowId: row.workflow_id,
      versionId: row.id,
      checksum: row.checksum,
      ordinal: row.ordinal,
      definition: completeDefinition(row.definition),
    });
  }
}

/** All are away until their streams are back. */
async function loadWorkers(client: ClientBase, shards: ReadonlyMap<number, ShardState>, nowUs: number): Promise<void> {
  const { rows } = await client.query<WorkerSqlRow>(readWorkers);
  for (const row of rows) {
    const worker = shards.get(shardOf(row.tenant_id))?.addWorker({
      id: row.id,
      tenantId: row.tenant_id,
      name: row.name,
      actions: row.actions,
      slots: new Map(Object.entries(row.slots)),
      labels: new Map(Object.entries(row.labels)),
      runtime: row.runtime,
    });
    if (worker === undefined) continue;
    worker.paused = row.paused;
    worker.ended = row.ended;
    worker.awaySinceUs = nowUs;
  }
}

function loadTask(shard: ShardState, sql: LiveSqlRow): number {
  const { tasks } = shard;
  const version = shard.versions.get(sql.version_id);
  if (version === undefined)
    throw new Error(`task ${sql.task_id} is of version ${sql.version_id}, which does not exist`);
  if (!isLiveState(sql.state))
    throw new Error(
      `task ${sql.task_id} is in the unknown state ${sql.state}: was this database written by a newer version?`,
    );
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
  if (sql.worker_id !== null) {
    const worker = shard.workersById.get(sql.worker_id);
    if (worker === undefined)
      throw new Error(`task ${sql.task_id} runs on worker ${sql.worker_id}, which does not exist`);
    tasks.worker[row] = worker.index;
    worker.hold(row);
    shard.deadlines.hold(row);
    if (sql.batch_id === null && (sql.flags & LiveFlag.SlotReleased) === 0) worker.occupy(shard.stepOf(row).slots);
  }
  return row;
}

async function loadRuns(
  client: ClientBase,
  shard: ShardState,
  runs: Map<string, { generation: number; versionId: string; priority: number; rows: number[] }>,
  slice: Slice,
): Promise<void> {
  const ids = [...runs.keys()];
  for (let from = 0; from < ids.length; from += pageRows) {
    const page = ids.slice(from, from + pageRows);
    const { rows } = await client.query<RunTaskSqlRow>(readRunTasks, [
      page,
      page.map((id) => runs.get(id)?.generation ?? 1),
    ]);
    const byRun = new Map<string, RunTaskSqlRow[]>();
    for (const row of rows) {
      const list = byRun.get(row.run_id);
      if (list === undefined) byRun.set(row.run_id, [row]);
      else list.push(row);
    }
    for (const [runId, tasks] of byRun) {
      const found = runs.get(runId);
      const version = shard.versions.get(found?.versionId ?? '');
      if (found === undefined || version === undefined) continue;
      const outcomes = tasks.map((task) => terminal(task.status));
      const unfinished = outcomes.filter((outcome) => outcome === 0).length;
      const run: LiveRun = {
        runId,
        version,
        generation: found.generation,
        priority: found.priority,
        taskIds: tasks.map((task) => task.id),
        outcomes,
        unfinished,
        rows: found.rows.length,
        ended: unfinished === 0,
        skipped: new Set(tasks.flatMap((task, index) => (task.skipped === true ? [index] : []))),
        outputBytes: new Map(
          tasks.flatMap(({ bytes }, index) =>
            bytes === null || !version.batchParents.has(index) ? [] : [[index, bytes]],
          ),
        ),
      };
      const runRow = shard.addRun(run);
      for (const row of found.rows) shard.tasks.run[row] = runRow;
      await slice.pause();
    }
  }
}

function terminal(status: number | null): TerminalStatus | 0 {
  return status === RunStatus.Completed || status === RunStatus.Failed || status === RunStatus.Cancelled ? status : 0;
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
