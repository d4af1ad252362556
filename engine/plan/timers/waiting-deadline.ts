import { touch, type Plan } from '../state/plan.ts';
import type { TaskRow } from '../state/table/rows.ts';

/**
 * A task waits for a worker from now on, with a new number in its queue: its schedule timeout begins, afresh with each retry. A
 * restored one has begun long ago, and may wait however long it takes.
 */
export function beginWaiting(plan: Plan, row: TaskRow, { isRestored }: { isRestored: boolean }): void {
  const { state, nowUs } = plan;
  const seq = state.nextSeq(nowUs);
  const dueUs = isRestored ? 0 : Math.min(nowUs + scheduleTimeoutUs(plan, row), pausedUntilUs(plan, row, seq));
  state.deadlines.queue(row, { seq, dueUs }, state.undo);
}

/** What a deadline says of a task that waits for a worker. */
export type WaitVerdict =
  /** It has another deadline now. */
  | 'waits on'
  /** It was queued in its paused workflow for longer than that allows. */
  | 'outlived the pause'
  | 'timed out';

/**
 * A pause of its workflow is not a wait for a worker: the timeout starts afresh for as long as it lasts, and with its end. What a
 * pause allows in its stead is looked at when the timeout is over: a task that was queued before the pause began outlives it by up
 * to its schedule timeout. Set aside: *another deadline for all of them when the pause begins*, which writes each queued task.
 */
export function judgeWait(plan: Plan, row: TaskRow): WaitVerdict {
  const { state, nowUs } = plan;
  const { workflow } = state.stepOf(row).placement;
  let dueUs: number;
  if (workflow.paused) {
    const untilUs = pausedUntilUs(plan, row, state.tasks.seq[row] ?? 0);
    if (untilUs <= nowUs) return 'outlived the pause';
    dueUs = Math.min(untilUs, nowUs + scheduleTimeoutUs(plan, row));
  } else {
    dueUs = workflow.resumedUs === 0 ? 0 : workflow.resumedUs + scheduleTimeoutUs(plan, row);
    if (dueUs <= nowUs) return 'timed out';
  }
  state.deadlines.set(row, dueUs, state.undo);
  touch(plan, row);
  return 'waits on';
}

function scheduleTimeoutUs({ state }: Plan, row: TaskRow): number {
  return state.stepOf(row).definition.scheduleTimeoutMs * 1000;
}

/** Until when a task with that number may wait in its workflow, if it is paused and says so. */
function pausedUntilUs({ state }: Plan, row: TaskRow, seq: number): number {
  const { paused, pauseRules } = state.stepOf(row).placement.workflow;
  return paused && pauseRules.queueTtlMs !== null ? seq + pauseRules.queueTtlMs * 1000 : Infinity;
}
