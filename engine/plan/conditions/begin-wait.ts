import { touch, type Plan } from '../state/plan.ts';
import type { TaskRow } from '../state/table/rows.ts';
import { resolveCondition } from './resolve-condition.ts';
import type { TaskWait } from './task-wait.ts';

/** Opens the conditions of a new task. */
export function openWait(plan: Plan, row: TaskRow): void {
  const { state } = plan;
  const { conditions } = state.stepOf(row).definition;
  if (conditions.length === 0) return;
  const wait: TaskWait = {
    sinceUs: 0,
    sinceSeq: 0,
    states: conditions.map(() => 'open'),
    data: conditions.map(() => null),
    complained: conditions.map(() => false),
  };
  state.undo.put(state.waits, row, wait);
  plan.changes.touchWait(plan.state, row);
}

/** Its parents are done: sleeps and events count from now on. */
export function beginWait(plan: Plan, row: TaskRow, wait: TaskWait): void {
  const { state } = plan;
  state.undo.set(wait, 'sinceUs', plan.nowUs);
  state.undo.set(wait, 'sinceSeq', state.nextSeq(plan.nowUs));
  state.eventWaiters.listen(row, state.stepOf(row), state.undo);
  plan.changes.touchWait(plan.state, row);
}

/** The next sleep that is not over wakes the task. */
export function sleepOn(plan: Plan, row: TaskRow, wait: TaskWait): void {
  const { state } = plan;
  let next = Infinity;
  for (const [index, condition] of state.stepOf(row).definition.conditions.entries()) {
    if (condition.kind === 'sleep' && wait.states[index] === 'open')
      next = Math.min(next, wait.sinceUs + condition.ms * 1000);
  }
  state.deadlines.set(row, next === Infinity ? 0 : next, state.undo);
  touch(plan, row);
}

/** Forgets a task's conditions with the task. */
export function dropWait(plan: Plan, row: TaskRow): void {
  const { state } = plan;
  if (!state.waits.has(row)) return;
  stopWaiting(plan, row);
  state.undo.remove(state.waits, row);
  plan.changes.touchWait(plan.state, row);
}

/** Nothing it still waits for matters any more. */
export function stopWaiting(plan: Plan, row: TaskRow): void {
  const { state } = plan;
  const step = state.stepOf(row);
  if (state.eventWaiters.has(row, step)) state.eventWaiters.ignore(row, step, state.undo);
}

/** Sleeps that are over are met. */
export function wakeSleeper(plan: Plan, row: TaskRow): void {
  const wait = plan.state.waits.get(row);
  if (wait === undefined) return;
  for (const [index, condition] of plan.state.stepOf(row).definition.conditions.entries()) {
    if (condition.kind === 'sleep' && wait.sinceUs + condition.ms * 1000 <= plan.nowUs) {
      resolveCondition(plan, row, index, { met: true, data: JSON.stringify({ sleep_duration: condition.duration }) });
    }
  }
}
