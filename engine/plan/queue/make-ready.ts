import { lastingFlags, LiveFlag, LiveState } from '../../model/task/live-state.ts';
import { joinQueue } from './join-queue.ts';
import { hasFlag, journal, moveTo, touch, type Plan } from '../state/plan.ts';
import { rankOf, retryRank } from './task-order.ts';
import { beginWaiting } from '../timers/waiting-deadline.ts';
import type { TaskRow } from '../state/table/rows.ts';

/** A task is ready: it asks for its places and for a worker, and counts against the schedule timeout from now on. */
export function makeReady(plan: Plan, row: TaskRow, place: 'tail' | 'head', { isRestored = false } = {}): void {
  const { state } = plan;
  const { tasks, undo } = state;
  const step = state.stepOf(row);
  if (tasks.state[row] === LiveState.Ready) touch(plan, row);
  else moveTo(plan, row, LiveState.Ready);
  tasks.write('flags', row, ((tasks.flags[row] ?? 0) & lastingFlags) | (isRestored ? LiveFlag.Restored : 0), undo);
  journal(plan, row, 'QUEUED');
  beginWaiting(plan, row, { isRestored });
  // A retry stays ahead over a restart too: recovery ranks by retries and reassignments.
  const rank = place === 'head' ? retryRank : rankOf(tasks.priority[row] ?? 1);
  if (!state.extras.has(row) || hasFlag(plan, row, LiveFlag.Admitted)) return joinQueue(plan, row, rank);
  state.unsettled.noteArrival(step.version.tenantId, row, rank);
}
