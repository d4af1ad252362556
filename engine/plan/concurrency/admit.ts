import { LiveFlag, LiveState } from '../../model/task/live-state.ts';
import type { ConcurrencyGroup, PlaceRequest } from './concurrency-group.ts';
import { isCrowded, judgeCancelling, surplusOf, type GivenUp } from './cancelling-strategies.ts';
import { cancelRow } from '../lifecycle/cancel-task.ts';
import { cancelCost, lookCost, type SettleBudget } from '../state/settle-budget.ts';
import { hasFlag, setFlag, type Plan } from '../state/plan.ts';
import type { ArrivalLine } from '../state/lists/arrival-line.ts';
import { joinQueue } from '../queue/join-queue.ts';
import type { TaskExtras } from '../state/task-extras.ts';
import type { Restore } from '../state/undo-log.ts';
import type { TaskRow } from '../state/table/rows.ts';

/**
 * The first of the ready tasks asks for its places. The whole chain is judged in one pass: first whether a cancelling
 * strategy turns the task away, only then whom it pushes out, then whether every group has a place. It gets all of its
 * places or none. One that pushes out more than the budget has room for is judged again once those are gone.
 */
export function admitArrival(plan: Plan, arrivals: ArrivalLine, budget: SettleBudget): void {
  const { state } = plan;
  const row = arrivals.head;
  if (row === undefined) return;
  const rank = state.tasks.rank[row] ?? 0;
  budget.admissions--;
  const extras = state.extras.get(row);
  if (extras === undefined) {
    arrivals.remove(row, state.undo);
    return joinQueue(plan, row, rank);
  }
  const fresh = openRequests(extras).filter((request) => !request.arrived);
  const most = cancelsIn(budget);
  const { refused, pushedOut } = judgeCancelling(fresh);
  if (refused === undefined && pushedOut.length > most) {
    // The lowest first: those that stay are the same, however many steps it takes.
    const members = pushedOut.length;
    for (const each of pushedOut.slice(-most)) cancel(plan, each, budget);
    if (judgeCancelling(fresh).pushedOut.length < members) return;
  }
  arrivals.remove(row, state.undo);
  if (refused !== undefined) return cancel(plan, refused, budget);
  for (const request of fresh) arrive(plan, request);
  const crowded = tryAdmit(plan, row, rank, { behindOthers: true })
    ? []
    : openRequests(extras).flatMap(({ groups }) => groups.filter(isCrowded));
  const surplus = crowded.flatMap((group) => surplusOf(group, most));
  for (const each of [...pushedOut, ...surplus]) cancel(plan, each, budget);
  for (const group of crowded) if (group.placeless.size > 1) state.unsettled.noteCrowded(group);
}

function openRequests(extras: TaskExtras): PlaceRequest[] {
  return [extras.runRequest, extras.taskRequest]
    .filter((request) => request !== null)
    .filter((request) => !request.held);
}

function cancel(plan: Plan, { request, group }: GivenUp, budget: SettleBudget): void {
  const message = `cancelled by ${group.strategy} (at most ${group.maxRuns}) on key ${JSON.stringify(group.key)}`;
  for (const row of request.rows) {
    budget.admissions -= cancelCost;
    cancelRow(plan, row, message);
  }
}

function cancelsIn({ admissions }: SettleBudget): number {
  return Math.max(Math.floor(admissions / cancelCost), 1);
}

/** Goes on with what a verdict had no room for. @returns whether all are seen to */
export function thinOut(plan: Plan, group: ConcurrencyGroup, budget: SettleBudget): boolean {
  if (!isCrowded(group)) return true;
  const before = group.placeless.size;
  for (const each of surplusOf(group, cancelsIn(budget))) cancel(plan, each, budget);
  // A request may outlive its tasks' end, until that of its run: it is not waited for.
  return group.placeless.size <= 1 || group.placeless.size >= before;
}

function arrive(plan: Plan, request: PlaceRequest): void {
  const { undo } = plan.state;
  undo.keep(joined, request, undefined);
  undo.set(request, 'arrived', true);
  for (const group of request.groups) group.join(request);
}

const joined: Restore<PlaceRequest> = {
  restore(request) {
    for (const group of request.groups) group.leave(request, false);
  },
};

/** Takes all places, or stands in line with the first group that has none. An arrival stands behind those that wait. */
function tryAdmit(plan: Plan, row: TaskRow, rank: number, options: { behindOthers: boolean }): boolean {
  const { state } = plan;
  const extras = state.extras.get(row);
  const requests = extras === undefined ? [] : openRequests(extras);
  for (const request of requests) {
    for (const group of request.groups) {
      if (!group.isFull && !(options.behindOthers && group.waiting.length > 0)) continue;
      group.waiting.insert(row, rank, state.undo);
      return false;
    }
  }
  for (const request of requests) hold(plan, request);
  setFlag(plan, row, LiveFlag.Admitted);
  joinQueue(plan, row, rank);
  for (const request of requests) if (request.level === 'run') admitSiblings(plan, request);
  return true;
}

function hold(plan: Plan, request: PlaceRequest): void {
  const { undo } = plan.state;
  undo.keep(given, request, undefined);
  undo.set(request, 'held', true);
  for (const group of request.groups) group.give(request);
  if (request.level === 'run') for (const row of request.rows) setFlag(plan, row, LiveFlag.RunAdmitted);
}

const given: Restore<PlaceRequest> = {
  restore(request) {
    for (const group of request.groups) group.takeBack(request);
  },
};

/** Tasks of the run that waited for the same places need them no more. */
function admitSiblings(plan: Plan, request: PlaceRequest): void {
  const { state } = plan;
  const { tasks, lists, undo } = state;
  for (const row of request.rows) {
    if (tasks.state[row] !== LiveState.Ready || hasFlag(plan, row, LiveFlag.Admitted)) continue;
    if (tasks.rank[row] === 255 || state.isArrival(row)) continue;
    const rank = tasks.rank[row] ?? 0;
    lists.leave(row, undo);
    tryAdmit(plan, row, rank, { behindOthers: false });
  }
}

/** Admits those that wait while the group has room: best priority first, then the oldest. @returns whether all are seen to */
export function wakeGroup(plan: Plan, group: ConcurrencyGroup, budget: SettleBudget): boolean {
  const { tasks, undo } = plan.state;
  if (group.waiting.head === undefined || group.isFull) budget.admissions -= lookCost;
  for (let row = group.waiting.head; row !== undefined && !group.isFull; row = group.waiting.head) {
    if (budget.admissions <= 0) return false;
    budget.admissions--;
    const rank = tasks.rank[row] ?? 0;
    group.waiting.remove(row, undo);
    tryAdmit(plan, row, rank, { behindOthers: false });
  }
  return true;
}
