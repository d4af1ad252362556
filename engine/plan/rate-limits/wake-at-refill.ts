import { LiveState } from '../../model/task/live-state.ts';
import { joinQueue } from '../queue/join-queue.ts';
import { moveTo, type Plan } from '../state/plan.ts';
import type { RankedList } from '../state/lists/ranked-list.ts';
import type { RateLimit } from './rate-limit.ts';
import { moveEntry } from './rate-limit-table.ts';
import { boundWindows } from './clock-set-back.ts';
import { awaitRefill, callLine, isAnyMemberBefore, refillTaken } from './wait-for-units.ts';
import type { TaskRow } from '../state/table/rows.ts';

/** Limits that one transaction looks at because their windows are over: some 10 ms. The next goes on with the rest. */
const refillsPerTransaction = 1_000;

/** Windows and pauses that are over: whoever waits for them is looked at again. */
export function noteRefills(plan: Plan): void {
  const { state, nowUs } = plan;
  const { undo, refills } = state;
  boundWindows(plan);
  for (const refill of refills.takeDue(nowUs, refillsPerTransaction)) {
    const { limit } = refill;
    undo.keep(refillTaken, refills, refill);
    undo.set(limit, 'refill', undefined);
    if (limit.pausedUntilUs !== 0 && !limit.isPaused(nowUs)) {
      undo.set(limit, 'pausedUntilUs', 0);
      // The window need not be over: whoever waits gets what is left of it.
      judgeAnew(plan, limit);
      continue;
    }
    // Another window may have begun since, or a pause.
    if (limit.waiting.length > 0 && limit.isOver(nowUs) && !limit.isPaused(nowUs)) releaseMembers(plan, limit);
    else if (limit.waiting.length > 0) awaitRefill(plan, limit);
    state.unsettled.noteLimit(limit);
  }
}

/**
 * Calls the line that is first in its limit's, if there are units for it: the others stay where they are until it has had
 * its turn, and are called one after the other as far as the units reach.
 */
export function callFirst(plan: Plan, limit: RateLimit): void {
  const { undo } = plan.state;
  for (let first = limit.firstLine; first !== undefined; first = limit.firstLine) {
    if (first.isCalled) return;
    if (first.units > limit.limit) {
      moveEntry(first, true, undo);
      continue;
    }
    if (first.units > limit.left(plan.nowUs)) return awaitRefill(plan, limit);
    if (isAnyMemberBefore(plan, limit, first)) return;
    return callLine(plan, first);
  }
}

/** Sends waiting tasks of batch steps back to their buffers as far as the units reach, in their order. */
function releaseMembers(plan: Plan, limit: RateLimit): void {
  const { state } = plan;
  let left = limit.limit;
  for (let row = limit.waiting.head; row !== undefined; row = limit.waiting.head) {
    const units = state.extras.get(row)?.demands.rateLimits.find((demand) => demand.key === limit.key)?.units ?? 0;
    if (units > left) break;
    left -= units;
    requeue(plan, row);
  }
  if (limit.waiting.length > 0) awaitRefill(plan, limit, { isAtOnce: true });
}

/** The limit was put or deleted, or its pause is over: its line is looked at again, and tasks of batch steps are judged anew. */
export function judgeAnew(plan: Plan, limit: RateLimit): void {
  plan.state.unsettled.noteLimit(limit);
  for (const list of [limit.waiting, limit.tooLarge]) requeueAll(plan, list);
}

function requeueAll(plan: Plan, list: RankedList): void {
  for (let row = list.head; row !== undefined; row = list.head) requeue(plan, row);
}

function requeue(plan: Plan, row: TaskRow): void {
  const { tasks, lists, undo } = plan.state;
  const rank = tasks.rank[row] ?? 0;
  lists.leave(row, undo);
  moveTo(plan, row, LiveState.Ready);
  joinQueue(plan, row, rank, { keepsTurn: true });
}
