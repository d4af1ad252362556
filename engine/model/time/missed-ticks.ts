import { nextTick, type CronSpec } from './cron.ts';

/** A tick that was missed by less still fires: a restart takes that long. */
export const missedTickMs = 60_000;
/** Ticks that are caught up are no older than this. */
export const oldestCaughtUpMs = 86_400_000;

export const catchUpPolicies = ['none', 'last', 'all'] as const;
/** What becomes of ticks that were missed: nothing, the last one fires, or all do. */
export type CatchUp = (typeof catchUpPolicies)[number];

/**
 * What to do about a tick that is due: fire it or not, and which tick is next.
 * Ticks come one by one; of those that were missed the policy decides.
 */
export function dueTick(
  spec: CronSpec & { catchUp: CatchUp },
  due: { dueMs: number; nowMs: number },
): { fire: boolean; nextMs: number } {
  const { dueMs, nowMs } = due;
  const following = nextTick(spec, dueMs);
  if (nowMs - dueMs < missedTickMs) return { fire: true, nextMs: following };
  switch (spec.catchUp) {
    case 'none': {
      // The last one before now may be fresh enough to fire by itself.
      const first = nextTick(spec, nowMs - missedTickMs);
      return { fire: false, nextMs: Math.max(first, following) };
    }
    case 'last':
      return following > nowMs
        ? { fire: true, nextMs: following }
        : { fire: false, nextMs: lastTick(spec, following, nowMs) };
    case 'all':
      return nowMs - dueMs <= oldestCaughtUpMs
        ? { fire: true, nextMs: following }
        : { fire: false, nextMs: nextTick(spec, nowMs - oldestCaughtUpMs) };
  }
}

/** The last tick that is not after now, from a tick that is not either: found by halving, since ticks can be many. */
function lastTick(spec: CronSpec, fromMs: number, nowMs: number): number {
  let last = fromMs;
  for (let reach = nowMs - fromMs; reach >= 1; reach = Math.floor(reach / 2)) {
    for (let next = nextTick(spec, last + reach - 1); next <= nowMs; next = nextTick(spec, last + reach - 1))
      last = next;
  }
  return last;
}
