import type { Transition } from '../../model/task/transition.ts';
import { isLiveState, LiveFlag, type LiveState, mayMove } from '../../model/task/live-state.ts';
import type { HistoryRow } from '../../model/stored-rows.ts';
import type { ChangeSet } from './change-set.ts';
import type { ShardState } from './shard-state.ts';
import type { TaskRow } from './table/rows.ts';

/** One shard's planning of one transaction: the state it changes, the time it sees, what it will write. */
export interface Plan {
  readonly state: ShardState;
  readonly nowUs: number;
  readonly changes: ChangeSet;
}

/** Marks a task's row of `live` as to be written with the transaction. */
export function touch(plan: Plan, row: TaskRow): void {
  const { tasks, dirtyRows, undo } = plan.state;
  if (tasks.dirty[row] === 1) return;
  tasks.write('dirty', row, 1, undo);
  dirtyRows.push(row);
  undo.note(plan.state.touched, row);
}

export function moveTo(plan: Plan, row: TaskRow, to: LiveState): void {
  const { tasks, undo } = plan.state;
  const from = tasks.state[row] ?? -1;
  if (!isLiveState(from) || !mayMove(from, to))
    throw new Error(`task ${tasks.id(row)} cannot move from state ${from} to ${to}`);
  tasks.write('state', row, to, undo);
  touch(plan, row);
}

export function hasFlag(plan: Plan, row: TaskRow, flag: number): boolean {
  return ((plan.state.tasks.flags[row] ?? 0) & flag) !== 0;
}

export function setFlag(plan: Plan, row: TaskRow, flag: number): void {
  const { tasks, undo } = plan.state;
  tasks.write('flags', row, (tasks.flags[row] ?? 0) | flag, undo);
  touch(plan, row);
}

/**
 * Adds a transition to the journal. Transitions that follow each other on one task share a row;
 * a row never absorbs one past another task's row, so that cursors keep the order of events.
 */
export function journal(plan: Plan, row: TaskRow, transition: Transition, message?: string): void {
  const { state, changes } = plan;
  const { tasks } = state;
  const taskId = tasks.id(row);
  const attempt = tasks.attempt[row] ?? 0;
  const worker = state.workerOf(row);
  const last = changes.history.at(-1);
  if (
    last !== undefined &&
    last.taskId === taskId &&
    last.attempt === attempt &&
    message === undefined &&
    last.message === null
  ) {
    state.undo.note(
      changes.merged,
      changes.history.length - 1,
      last.transitions.length,
      last.workerId === null ? 0 : 1,
    );
    last.transitions.push(transition);
    last.workerId ??= worker?.id ?? null;
    return;
  }
  const step = state.stepOf(row);
  const entry: HistoryRow = {
    taskId,
    seq: state.nextSeq(plan.nowUs),
    tenantId: step.version.tenantId,
    attempt,
    transitions: [transition],
    workerId: worker?.id ?? null,
    message: message ?? null,
    runId: state.runIdOf(row),
    stepName: step.definition.name,
    workflowName: step.version.definition.name,
  };
  changes.history.push(entry);
}

/** Takes an attempt off its worker: the slot is free from here on. */
export function leaveWorker(plan: Plan, row: TaskRow): void {
  const { state } = plan;
  const worker = state.workerOf(row);
  if (worker === undefined) return;
  worker.drop(row, state.undo);
  state.deadlines.release(row, 0, state.undo);
  if (leaveBatch(plan, row) && !hasFlag(plan, row, LiveFlag.SlotReleased))
    worker.vacate(state.stepOf(row).slots, state.undo);
  state.unsettled.noteRoom(worker);
  state.tasks.write('worker', row, -1, state.undo);
}

/** @returns whether nobody is left of those that share the task's slots */
function leaveBatch({ state }: Plan, row: TaskRow): boolean {
  const { batches, undo } = state;
  const batch = batches.ofRow.get(row);
  if (batch === undefined) return true;
  const { group, rows } = batch;
  undo.remove(batches.ofRow, row);
  undo.delete(rows, row);
  if (rows.size > 0) return false;
  undo.delete(group.running, batch);
  batches.released(group);
  for (const { queue } of group.buffers.values()) state.unsettled.noteQueue(queue);
  return true;
}
