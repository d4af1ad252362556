import type { RateLimitWindow } from '../../model/definition.ts';
import type { RateLimitDemand } from '../../model/task/demands.ts';
import type { RateLimitRow } from '../../model/stored-rows.ts';
import type { Plan } from '../state/plan.ts';
import type { LimitEntry } from '../queue/line.ts';
import { RateLimit, sweepAt } from './rate-limit.ts';
import type { ShardState } from '../state/shard-state.ts';
import type { Restore, UndoLog } from '../state/undo-log.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

function idOf(tenantId: TenantId, key: string): string {
  return `${tenantId} ${key}`;
}

export function findRateLimit(state: ShardState, tenantId: TenantId, key: string): RateLimit | undefined {
  return state.rateLimits.get(idOf(tenantId, key));
}

/**
 * The limit that a task asks. A dynamic one takes its size from the task that asks last; a static one that was never put
 * holds nothing, so that a task with a wrong key waits instead of running without a limit.
 */
export function rateLimitFor(plan: Plan, tenantId: TenantId, demand: RateLimitDemand): RateLimit {
  const { state } = plan;
  const known = state.rateLimits.get(idOf(tenantId, demand.key));
  if (known === undefined) {
    const made = addRateLimit(state, {
      tenantId,
      key: demand.key,
      limit: demand.limit ?? 0,
      window: demand.window,
      windowLimit: demand.limit ?? 0,
      windowStartUs: 0,
      used: 0,
      isStatic: false,
      pausedUntilUs: 0,
    });
    state.undo.keep(limitAdded, state, made);
    return made;
  }
  if (demand.limit !== null && (known.limit !== demand.limit || known.window !== demand.window))
    resize(plan, known, demand.limit, demand.window);
  return known;
}

/** Those that wait for it are looked at again. */
export function resize(plan: Plan, rateLimit: RateLimit, limit: number, window: RateLimitWindow): void {
  rateLimit.resize(limit, window, plan.state.undo);
  plan.changes.touchedLimits.add(rateLimit);
  lineUpAnew(plan.state, rateLimit);
}

/** The limit has changed: who asked too much for the old one may have a chance. */
function lineUpAnew(state: ShardState, rateLimit: RateLimit): void {
  const { undo } = state;
  for (
    let first = rateLimit.firstTooLarge;
    first !== undefined && first.units <= rateLimit.limit;
    first = rateLimit.firstTooLarge
  )
    moveEntry(first, false, undo);
  state.unsettled.noteLimit(rateLimit);
}

/** Between those that wait for the next refill, and those that no refill helps. */
export function moveEntry(entry: LimitEntry, isTooLarge: boolean, undo: UndoLog): void {
  placeEntry(entry, isTooLarge);
  undo.keep(entryMoved, entry, !isTooLarge);
}

function placeEntry(entry: LimitEntry, isTooLarge: boolean): void {
  entry.limit.dismiss(entry);
  entry.isTooLarge = isTooLarge;
  entry.limit.enlist(entry);
}

const entryMoved: Restore<LimitEntry, boolean> = { restore: placeEntry };

export function addRateLimit(state: ShardState, row: RateLimitRow): RateLimit {
  const made: RateLimit = new RateLimit({
    ...row,
    // A line that stands behind a task of a batch step is looked at when that one goes.
    waiting: state.lists.create((_rank, by, _row, undo) => {
      if (by === -1 && undo !== undefined) state.unsettled.noteLimit(made);
    }),
    tooLarge: state.lists.create(),
  });
  state.rateLimits.set(idOf(row.tenantId, row.key), made);
  // A stored one may be of a time when the clock was ahead.
  state.newestWindowUs = Math.max(state.newestWindowUs, row.windowStartUs);
  return made;
}

/** After a commit: forgets windows that are over and that nobody waits for. Their rows say no more than their absence. */
export function sweepRateLimits(state: ShardState, nowUs: number): void {
  if (state.rateLimits.size < state.sweepLimitsAt) return;
  for (const [id, limit] of state.rateLimits) {
    if (limit.isStatic || !limit.isOver(nowUs) || limit.isPaused(nowUs) || !limit.isIdle) continue;
    state.rateLimits.delete(id);
    state.lists.drop(limit.waiting);
    state.lists.drop(limit.tooLarge);
  }
  state.sweepLimitsAt = Math.max(sweepAt, state.rateLimits.size * 2);
}

const limitAdded: Restore<ShardState, RateLimit> = {
  restore: (state, { tenantId, key }) => state.rateLimits.delete(idOf(tenantId, key)),
};
