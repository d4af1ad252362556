import { Cron } from 'croner';
import { instantOf, nextChange, offsetAt } from './zone-clock.ts';

/** A tick that was missed by less still fires: a restart takes that long. */
export const missedTickMs = 60_000;
/** Ticks that are caught up are no older than this. */
export const oldestCaughtUpMs = 86_400_000;

export const catchUpPolicies = ['none', 'last', 'all'] as const;
/** What becomes of ticks that were missed: nothing, the last one fires, or all do. */
export type CatchUp = (typeof catchUpPolicies)[number];

export interface CronSpec {
  expression: string;
  /** IANA name. */
  zone: string;
}

/** Over wall times; what becomes of them at a change of the clock is decided here, since croner loses or doubles ticks there. */
function wallTicks({ expression }: CronSpec): Cron {
  return new Cron(expression, { mode: '5-or-6-parts', timezone: 'UTC', paused: true });
}

/** Why an expression or a zone cannot be used, and what to do; undefined where both can. */
export function cronProblem(spec: CronSpec): { problem: string; remedy: string } | undefined {
  const remedy = 'Write five fields, or six with seconds first.';
  try {
    Intl.DateTimeFormat('en', { timeZone: spec.zone });
  } catch {
    return {
      problem: `there is no time zone ${JSON.stringify(spec.zone)}`,
      remedy: 'Give an IANA name such as Europe/Berlin, or leave it out for UTC.',
    };
  }
  const fields = spec.expression.trim().split(/\s+/).length;
  if (!spec.expression.trim().startsWith('@') && fields !== 5 && fields !== 6)
    return { problem: `it has ${fields} ${fields === 1 ? 'field' : 'fields'}`, remedy };
  try {
    return wallTicks(spec).nextRun(new Date(0)) === null
      ? { problem: 'it never comes due', remedy: 'Name a day that its months have.' }
      : undefined;
  } catch (error) {
    return { problem: (error instanceof Error ? error.message : String(error)).replace(/^Cron\w+: /, ''), remedy };
  }
}

/**
 * The first tick after a time. With a fixed hour each tick of the wall clock comes once: the first time, where the hour comes
 * twice; at the change, together with all others, where it is left out. Where the hour is `*` or `*` with a step, ticks come
 * whenever the wall clock shows them: in both hours, and in none that is left out.
 * @returns milliseconds; Infinity where none follows
 */
export function nextTick(spec: CronSpec, afterMs: number): number {
  return hasFixedHour(spec.expression) ? nextOfFixedHour(spec, afterMs) : nextOfEveryHour(spec, afterMs);
}

function hasFixedHour(expression: string): boolean {
  const text = expression.trim();
  if (text.startsWith('@')) return text.toLowerCase() !== '@hourly';
  const hour = text.split(/\s+/).at(-4) ?? '';
  return !/^[*?](?:\/\d+)?$/.test(hour);
}

function nextOfFixedHour(spec: CronSpec, afterMs: number): number {
  const { zone } = spec;
  const walls = wallTicks(spec);
  let wallMs = afterMs + offsetAt(zone, afterMs);
  if (instantOf(zone, wallMs) < afterMs) {
    // The clock shows for the second time what it has shown before: no tick is left until it is past that.
    const changeMs = nextChange(zone, instantOf(zone, wallMs), afterMs);
    if (changeMs !== undefined) wallMs = changeMs + offsetAt(zone, changeMs - 1) - 1;
  }
  for (;;) {
    const next = walls.nextRun(new Date(wallMs));
    if (next === null) return Infinity;
    wallMs = next.getTime();
    const instant = instantOf(zone, wallMs);
    if (instant > afterMs) return instant;
  }
}

function nextOfEveryHour(spec: CronSpec, afterMs: number): number {
  const { zone } = spec;
  const walls = wallTicks(spec);
  for (let fromMs = afterMs; ;) {
    const offset = offsetAt(zone, fromMs);
    const next = walls.nextRun(new Date(fromMs + offset));
    if (next === null) return Infinity;
    const instant = next.getTime() - offset;
    const changeMs = nextChange(zone, fromMs, instant);
    if (changeMs === undefined) return instant;
    // The clock is moved before it shows that: look on from there, and at what it is moved to.
    const moved = walls.nextRun(new Date(changeMs + offsetAt(zone, changeMs) - 1));
    if (moved?.getTime() === changeMs + offsetAt(zone, changeMs)) return changeMs;
    fromMs = changeMs;
  }
}

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
