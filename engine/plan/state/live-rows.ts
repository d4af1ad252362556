import type { LiveRow } from '../../model/stored-rows.ts';
import { LiveState } from '../../model/task/live-state.ts';
import { sweepGroups } from '../concurrency/make-place-requests.ts';
import type { Plan } from './plan.ts';
import { storedResolutions } from '../conditions/task-wait.ts';
import { storedDue } from '../timers/stored-due-time.ts';
import { sweepRateLimits } from '../rate-limits/rate-limit-table.ts';
import type { ShardState } from './shard-state.ts';
import type { TaskRow } from './table/rows.ts';

/**
 * The transaction's writes to `live`: each touched task once, in its final image. A task that came and went within it
 * writes nothing. `live` equals memory after every commit because it is written from memory.
 */
export function collectLive(plan: Plan): void {
  const { state, changes } = plan;
  const { tasks, undo, dirtyRows } = state;
  state.seenUs = plan.nowUs;
  for (const row of dirtyRows) {
    const persisted = tasks.persisted[row] === 1;
    if (tasks.alive[row] === 0) {
      // It stays marked until it is swept: nothing of it is written again.
      if (persisted) changes.liveDeletes.push(tasks.id(row));
      continue;
    }
    (persisted ? changes.liveUpdates : changes.liveInserts).push(liveRow(state, row));
    tasks.write('persisted', row, 1, undo);
    tasks.write('dirty', row, 0, undo);
  }
  undo.push(state.writtenRows, dirtyRows);
  undo.set(state, 'dirtyRows', []);
  for (const row of changes.takeTouchedWaits(state)) collectWait(plan, row);
  for (const limit of changes.touchedLimits) changes.rateLimits.push(limit.row());
  changes.touchedLimits.clear();
}

/** The conditions of a task as they are now, or their end with it. */
function collectWait(plan: Plan, row: TaskRow): void {
  const { state, changes } = plan;
  const taskId = state.tasks.id(row);
  const wait = state.waits.get(row);
  if (wait === undefined) changes.waitDeletes.push(taskId);
  else
    changes.waits.push({
      taskId,
      tenantId: state.stepOf(row).version.tenantId,
      sinceUs: wait.sinceUs,
      sinceSeq: wait.sinceSeq,
      resolved: JSON.stringify(storedResolutions(wait)),
    });
}

/**
 * Between two transactions, once all that were planned are committed or taken back: `live` holds what memory does, and rows of
 * ended tasks may be reused.
 */
export function settleRows(state: ShardState): void {
  const { tasks } = state;
  const rows = [...state.writtenRows.flat(), ...state.durable.loaded];
  for (const row of rows) {
    // Several transactions may have written it.
    if (tasks.alive[row] === 1 || tasks.dirty[row] === 0) continue;
    tasks.dirty[row] = 0;
    tasks.sweep(row);
  }
  state.writtenRows.length = 0;
  forgetSleepers(state, rows);
  state.undo.clear();
  sweepGroups(state);
  state.batches.sweep();
  sweepRateLimits(state, state.seenUs);
  state.timers.tidy();
  state.durable.sleeps.tidy();
  for (const queue of state.outgrownQueues) queue.tidy();
  state.outgrownQueues.clear();
}

/** The logs of durable tasks that are on no worker any more, or ended. */
function forgetSleepers(state: ShardState, rows: readonly TaskRow[]): void {
  const { tasks, durable } = state;
  durable.loaded.clear();
  for (const row of rows) {
    if (tasks.alive[row] === 1 && tasks.state[row] === LiveState.Running) continue;
    durable.drop(row);
    durable.unread.delete(row);
    if (tasks.alive[row] !== 1) durable.branches.delete(row);
  }
}

/** Written once, with the insert. */
function demandsText(state: ShardState, row: TaskRow): string | null {
  const extras = state.extras.get(row);
  if (extras === undefined) return null;
  // As JSON.stringify would have it of StoredDemands: an object with members, and one more.
  return `${extras.shared.text.slice(0, -1)},"order":${extras.order}}`;
}

function liveRow(state: ShardState, row: TaskRow): LiveRow {
  const { tasks } = state;
  const step = state.stepOf(row);
  return {
    taskId: tasks.id(row),
    runId: state.runIdOf(row),
    tenantId: step.version.tenantId,
    versionId: step.version.versionId,
    shard: state.id,
    step: step.index,
    state: tasks.state[row] ?? 0,
    flags: tasks.flags[row] ?? 0,
    priority: tasks.priority[row] ?? 1,
    generation: tasks.generation[row] ?? 1,
    attempt: tasks.attempt[row] ?? 0,
    retries: tasks.retries[row] ?? 0,
    reassigns: tasks.reassigns[row] ?? 0,
    deaths: tasks.deaths[row] ?? 0,
    unanswered: tasks.unanswered[row] ?? 0,
    seq: tasks.seq[row] ?? 0,
    dueUs: storedDue(state, row),
    workerId: state.workerOf(row)?.id ?? null,
    batchId: state.batches.ofRow.get(row)?.id ?? null,
    demands: tasks.persisted[row] === 1 ? null : demandsText(state, row),
    invocation: tasks.invocation[row] ?? 0,
  };
}
