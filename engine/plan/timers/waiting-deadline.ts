import { touch, type Plan } from '../state/plan.ts';
import type { TaskRow } from '../state/table/rows.ts';

/**
 * A task waits for a worker from now on, with a new number in its queue: its schedule timeout begins, afresh with each retry. A
 * restored one has begun long ago, and may wait however long it takes.
 */
export function beginWaiting(plan: Plan, row: TaskRow, { isRestored }: { isRestored: boolean }): void {
  const { state, nowUs } = plan;
  const dueUs = isRestored ? 0 : nowUs + scheduleTimeoutUs(plan, row);
  state.deadlines.queue(row, { seq: state.nextSeq(nowUs), dueUs }, state.undo);
}

/** A pause of its workflow is not a wait for a worker: the timeout starts afresh for as long as it lasts. @returns whether there is a pause */
export function startsAfresh(plan: Plan, row: TaskRow): boolean {
  const { state, nowUs } = plan;
  if (!state.stepOf(row).placement.workflow.paused) return false;
  state.deadlines.set(row, nowUs + scheduleTimeoutUs(plan, row), state.undo);
  touch(plan, row);
  return true;
}

function scheduleTimeoutUs({ state }: Plan, row: TaskRow): number {
  return state.stepOf(row).definition.scheduleTimeoutMs * 1000;
}
