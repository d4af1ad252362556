import type { RateLimitDemand } from '../../model/task/demands.ts';
import { LiveState } from '../../model/task/live-state.ts';
import { type Line, type LimitEntry } from '../queue/line.ts';
import { asksBefore, type Asking } from '../queue/task-order.ts';
import { journal, moveTo, type Plan } from '../state/plan.ts';
import { findRateLimit, rateLimitFor } from './rate-limit-table.ts';
import type { RateLimit, Refill } from './rate-limit.ts';
import type { Restore } from '../state/undo-log.ts';
import type { TimerHeap } from '../timers/timer-heap.ts';
import type { TaskRow } from '../state/table/rows.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

export interface MissingUnits {
  limit: RateLimit;
  demand: RateLimitDemand;
  /** There are units enough, but others were there before. */
  isBehind: boolean;
}

/** The first limit that has no units for the task now; undefined when all have. @param line where it stands; undefined for one of a batch */
export function missingUnits(
  plan: Plan,
  row: TaskRow,
  { tenantId, demands, line }: { tenantId: TenantId; demands: readonly RateLimitDemand[]; line: Line | undefined },
): MissingUnits | undefined {
  for (const demand of demands) {
    const limit = rateLimitFor(plan, tenantId, demand);
    if (demand.units > limit.left(plan.nowUs)) return { limit, demand, isBehind: false };
    if (isBehind(plan, row, limit, line)) return { limit, demand, isBehind: true };
  }
  return undefined;
}

/** Those that wait already get their units first, unless the newcomer ranks above them. */
function isBehind(plan: Plan, row: TaskRow, limit: RateLimit, line: Line | undefined): boolean {
  const { tasks } = plan.state;
  const own = { rank: tasks.rank[row] ?? 0, seq: tasks.seq[row] ?? 0 };
  const first = line === undefined ? limit.firstLine : limit.firstLineBut(line);
  return (first !== undefined && asksBefore(first, own)) || isAnyMemberBefore(plan, limit, own);
}

/** Whether a task of a batch step has asked the limit before. */
export function isAnyMemberBefore(
  { state: { tasks } }: Plan,
  { waiting: { head } }: RateLimit,
  other: Asking,
): boolean {
  return head !== undefined && asksBefore({ rank: tasks.rank[head] ?? 0, seq: tasks.seq[head] ?? 0 }, other);
}

/** The task stops its line until there are units for it. It keeps its places, and its schedule timeout runs on. */
export function stopLine(plan: Plan, line: Line, row: TaskRow, missing: MissingUnits): void {
  const { state } = plan;
  const { undo } = state;
  const { limit, demand, isBehind: isLater } = missing;
  noteWait(plan, row, missing);
  line.queue.leaveLimit(line, undo);
  undo.set(line, 'entry', enlist(plan, line, row, { limit, demand, isCalled: false }));
  line.queue.awaitUnits(line, undo);
  awaitRefill(plan, limit);
  if (isLater) state.unsettled.noteLimit(limit);
}

function enlist(
  { state: { tasks, undo } }: Plan,
  line: Line,
  row: TaskRow,
  { limit, demand, isCalled }: { limit: RateLimit; demand: RateLimitDemand; isCalled: boolean },
): LimitEntry {
  const entry: LimitEntry = {
    limit,
    line,
    row,
    rank: tasks.rank[row] ?? 0,
    seq: tasks.seq[row] ?? 0,
    units: demand.units,
    isTooLarge: demand.units > limit.limit,
    isCalled,
    at: -1,
  };
  limit.enlist(entry);
  undo.keep(enlisted, entry, undefined);
  return entry;
}

/**
 * A line may go on because the limit that it waits for has units for it. Its task takes units of other limits too, in whose
 * lines others wait that asked later: until it has had its turn it stands in those as well, ahead of them.
 */
export function callLine(plan: Plan, entry: LimitEntry): void {
  const { state } = plan;
  const { undo } = state;
  const { line, row } = entry;
  const { constraint, queue } = line;
  undo.set(entry, 'isCalled', true);
  if (constraint.rateLimits.length > 1) {
    const claims: LimitEntry[] = [];
    for (const demand of constraint.rateLimits) {
      // It does not ask yet: a dynamic limit keeps its size.
      const limit = findRateLimit(state, queue.tenantId, demand.key) ?? rateLimitFor(plan, queue.tenantId, demand);
      if (limit !== entry.limit) claims.push(enlist(plan, line, row, { limit, demand, isCalled: true }));
    }
    undo.set(line, 'claims', claims);
  }
  queue.reopen(line, undo);
  state.unsettled.noteCall(entry);
}

/**
 * A task that has asked in vain stands for a line that it comes to: after a restart, or from another line. It does so at the
 * first of its limits that has no units now; where all have, its line is looked at before those that asked after it.
 */
export function standForLine(plan: Plan, line: Line, row: TaskRow): void {
  const { state, nowUs } = plan;
  const { tasks } = state;
  const { constraint, queue, entry } = line;
  const isFirst = entry === undefined || asksBefore({ rank: tasks.rank[row] ?? 0, seq: tasks.seq[row] ?? 0 }, entry);
  const limits = constraint.rateLimits.map((demand) => ({
    demand,
    limit: rateLimitFor(plan, queue.tenantId, demand),
  }));
  const short = limits.find(({ demand, limit }) => demand.units > limit.left(nowUs));
  const asked = short ?? limits[0];
  if (!isFirst || asked === undefined) return;
  queue.leaveLimit(line, state.undo);
  const made = enlist(plan, line, row, { ...asked, isCalled: false });
  state.undo.set(line, 'entry', made);
  if (short === undefined) return callLine(plan, made);
  queue.awaitUnits(line, state.undo);
  awaitRefill(plan, short.limit);
}

/** A task of a batch step leaves its buffer until there are units for it. */
export function stepOut(plan: Plan, row: TaskRow, missing: MissingUnits): void {
  const { tasks, lists, undo } = plan.state;
  const { limit, demand } = missing;
  const rank = tasks.rank[row] ?? 0;
  lists.leave(row, undo);
  noteWait(plan, row, missing);
  (demand.units > limit.limit ? limit.tooLarge : limit.waiting).insert(row, rank, undo);
  awaitRefill(plan, limit, { isAtOnce: true });
}

/** Once for each wait: whoever asks again in vain has been told. */
function noteWait(plan: Plan, row: TaskRow, { limit, demand }: MissingUnits): void {
  if (plan.state.tasks.state[row] === LiveState.RateLimited) return;
  moveTo(plan, row, LiveState.RateLimited);
  journal(plan, row, 'REQUEUED_RATE_LIMIT', `${demand.units} of rate limit ${JSON.stringify(limit.key)}`);
}

/**
 * Wakes the shard at the limit's refill, or at the end of its pause. A window that is over begins with the next task: no refill is waited for then, but
 * by whoever is to be looked at again in the next transaction.
 */
export function awaitRefill({ state, nowUs }: Plan, limit: RateLimit, { isAtOnce = false } = {}): void {
  const { undo, refills } = state;
  const lookUs = limit.nextLookUs(nowUs);
  const dueUs = isAtOnce ? Math.max(lookUs, nowUs + 1) : lookUs;
  if (dueUs <= nowUs || (limit.refill !== undefined && limit.refill.dueUs <= dueUs)) return;
  const before = limit.refill;
  const next = { limit, dueUs };
  // It may be dropped as replaced before an undo makes it true again.
  if (before !== undefined) undo.keep(refillTaken, refills, before);
  undo.set(limit, 'refill', next);
  refills.push(next);
}

const enlisted: Restore<LimitEntry> = { restore: (entry) => entry.limit.dismiss(entry) };
/** Once the limit names it again. */
export const refillTaken: Restore<TimerHeap<Refill>, Refill> = { restore: (refills, refill) => refills.push(refill) };
