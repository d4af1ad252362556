import type { RateLimitDemand } from '../../model/demands.ts';
import { LiveState } from '../../model/live-state.ts';
import { enqueue } from '../queue/enqueue.ts';
import { journal, moveTo, type Plan } from '../state/plan.ts';
import { rateLimitFor } from './rate-limits.ts';
import type { RateLimit } from './rate-limit.ts';

/** The first limit that has no units for the task now; undefined when all have. */
export function missingUnits(
  plan: Plan,
  row: number,
  tenantId: string,
): { limit: RateLimit; demand: RateLimitDemand } | undefined {
  for (const demand of plan.state.extras.get(row)?.demands.rateLimits ?? []) {
    const limit = rateLimitFor(plan, tenantId, demand);
    if (demand.units > limit.left(plan.nowUs) || isBehind(plan, row, limit)) return { limit, demand };
  }
  return undefined;
}

/** Those that wait already get their units first, unless the newcomer ranks above them. */
function isBehind(plan: Plan, row: number, limit: RateLimit): boolean {
  const { tasks } = plan.state;
  const first = limit.waiting.head;
  if (first < 0) return false;
  const ranks = [tasks.rank[row] ?? 0, tasks.rank[first] ?? 0] as const;
  if (ranks[0] !== ranks[1]) return ranks[0] > ranks[1];
  return (tasks.seq[row] ?? 0) > (tasks.seq[first] ?? 0);
}

/** Takes a task out of its queue until the limit is refilled. It keeps its places, and its schedule timeout runs on. */
export function waitForUnits(plan: Plan, row: number, missing: { limit: RateLimit; demand: RateLimitDemand }): void {
  const { state } = plan;
  const { limit, demand } = missing;
  const rank = state.tasks.rank[row] ?? 0;
  state.lists.leave(row, state.undo);
  moveTo(plan, row, LiveState.RateLimited);
  journal(plan, row, 'M', `${demand.units} of rate limit ${JSON.stringify(limit.key)}`);
  (demand.units > limit.limit ? limit.tooLarge : limit.waiting).insert(row, rank, state.undo);
}

/** Debits what an attempt takes, in the transaction that assigns it. */
export function spendUnits(plan: Plan, row: number, tenantId: string): void {
  const { state } = plan;
  for (const demand of state.extras.get(row)?.demands.rateLimits ?? []) {
    if (demand.units === 0) continue;
    const limit = rateLimitFor(plan, tenantId, demand);
    refill(plan, limit);
    limit.used += demand.units;
    state.undo.record(() => {
      limit.used -= demand.units;
    });
    plan.changes.touchedLimits.add(limit);
  }
}

function refill(plan: Plan, limit: RateLimit): void {
  if (!limit.isOver(plan.nowUs)) return;
  const { windowStartUs, used, windowLimit } = limit;
  Object.assign(limit, { windowStartUs: plan.nowUs, used: 0, windowLimit: limit.limit });
  plan.state.undo.record(() => Object.assign(limit, { windowStartUs, used, windowLimit }));
}

/** Sends those that wait back to their queues as far as the units reach, in their order. */
export function releaseRefilled(plan: Plan): void {
  const { state } = plan;
  for (const limit of state.exhausted) {
    if (limit.waiting.length === 0) state.exhausted.delete(limit);
    else if (limit.isOver(plan.nowUs)) releaseWaiting(plan, limit);
  }
}

function releaseWaiting(plan: Plan, limit: RateLimit): void {
  const { state } = plan;
  let left = limit.left(plan.nowUs);
  for (let row = limit.waiting.head; row >= 0; row = limit.waiting.head) {
    const units = state.extras.get(row)?.demands.rateLimits.find((demand) => demand.key === limit.key)?.units ?? 0;
    if (units > left) break;
    left -= units;
    requeue(plan, row);
  }
}

/** Whoever waits is judged anew: the limit has changed. */
export function requeueAll(plan: Plan, limit: RateLimit): void {
  for (const list of [limit.waiting, limit.tooLarge])
    for (let row = list.head; row >= 0; row = list.head) requeue(plan, row);
}

function requeue(plan: Plan, row: number): void {
  const { tasks, lists, undo } = plan.state;
  const rank = tasks.rank[row] ?? 0;
  lists.leave(row, undo);
  moveTo(plan, row, LiveState.Ready);
  enqueue(plan, row, rank, { keepsTurn: true });
}
