import { lastingFlags, LiveFlag, LiveState } from '../../model/task/live-state.ts';
import { longestSeconds, retryDelayMs } from '../../model/task/backoff.ts';
import { releasePlaces } from '../concurrency/release-places.ts';
import { hasFlag, journal, leaveWorker, moveTo, touch, type Plan } from '../state/plan.ts';
import { makeReady } from '../queue/make-ready.ts';
import type { TaskRow } from '../state/table/rows.ts';

export function mayRetry(plan: Plan, row: TaskRow): boolean {
  if (hasFlag(plan, row, LiveFlag.NoRetry)) return false;
  return (plan.state.tasks.retries[row] ?? 0) < plan.state.stepOf(row).definition.retries;
}

/** The user's retry: the next attempt, after its back-off, or after what the task asked for. */
export function retryTask(plan: Plan, row: TaskRow, afterMs: number | null = null): void {
  const { state, nowUs } = plan;
  const { tasks, undo } = state;
  const { backoffFactor, backoffMaxSeconds } = state.stepOf(row).definition;
  const retries = (tasks.retries[row] ?? 0) + 1;
  journal(plan, row, 'RETRYING');
  nextAttempt(plan, row);
  tasks.write('retries', row, retries, undo);
  const delayMs =
    afterMs === null
      ? retryDelayMs(retries, { factor: backoffFactor, maxSeconds: backoffMaxSeconds })
      : Math.min(afterMs, longestSeconds * 1000);
  if (delayMs === 0) return makeReady(plan, row, 'head');
  moveTo(plan, row, LiveState.Delayed);
  // Its place is free for others while it waits; it asks again afterwards.
  releasePlaces(plan, state.extras.get(row)?.taskRequest ?? null);
  tasks.write('flags', row, (tasks.flags[row] ?? 0) & ~LiveFlag.Admitted, undo);
  state.deadlines.set(row, nowUs + delayMs * 1000, undo);
}

export function nextAttempt(plan: Plan, row: TaskRow): void {
  const { tasks, undo, deadlines } = plan.state;
  touch(plan, row);
  leaveWorker(plan, row);
  deadlines.set(row, 0, undo);
  tasks.write('flags', row, (tasks.flags[row] ?? 0) & lastingFlags, undo);
  tasks.write('attempt', row, (tasks.attempt[row] ?? 0) + 1, undo);
}
