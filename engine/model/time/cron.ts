import { Cron } from 'croner';
import { instantOf, nextChange, offsetAt } from './zone-clock.ts';

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
