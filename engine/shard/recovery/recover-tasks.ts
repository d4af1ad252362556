import { isLiveState, LiveFlag, LiveState } from '../../model/task/live-state.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';
import type { ShardState } from '../../plan/state/shard-state.ts';
import type { TaskRow } from '../../plan/state/table/rows.ts';
import { loadedDue } from '../../plan/timers/stored-due-time.ts';
import { storedDemands, type DemandingTask } from './recover-demands.ts';
import type { MultiTaskRun } from './recover-runs.ts';
import type { BatchedTask } from './restore-batches.ts';

export interface LiveSqlRow {
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

/** What a task has beside its row, to be restored once all tasks are there. */
export class TasksFound {
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

/** A task as it was: an attempt that ran stays with its worker. @throws Error for a row that cannot be understood */
export function loadTask(shard: ShardState, sql: LiveSqlRow): TaskRow {
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
