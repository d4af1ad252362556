import { HatchetError } from './errors.ts';

const unitMs = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;
type Unit = keyof typeof unitMs;

type Milliseconds = `${number}ms`;
type Seconds = `${number}s`;
type Minutes = `${number}m`;
type Hours = `${number}h`;

export interface DurationObject {
  hours?: number | undefined;
  minutes?: number | undefined;
  seconds?: number | undefined;
  milliseconds?: number | undefined;
}

/**
 * A length of time: a text such as `'500ms'`, `'90s'`, `'42m30s'`; an object such as `{ minutes: 5 }`;
 * or a number of milliseconds.
 */
export type Duration = Milliseconds | Seconds | Minutes | Hours | `${Hours}${Minutes}` | `${Hours}${Seconds}` | `${Minutes}${Seconds}` | `${Hours}${Minutes}${Seconds}` | DurationObject | number;

const parts: ReadonlySet<string> = new Set(['hours', 'minutes', 'seconds', 'milliseconds'] satisfies (keyof DurationObject)[]);

const wholeText = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/;
const part = /(\d+(?:\.\d+)?)(ms|s|m|h)/g;

/** One hundred years, the engine's own bound: longer durations are mistakes. */
const longestMs = 100 * 365 * 24 * unitMs.h;

/**
 * Milliseconds of a duration.
 * @throws HatchetError INVALID_DURATION for signs, bare numbers in texts, other units, spaces, and more than 100 years.
 */
export function durationToMs(duration: Duration): number {
  const ms = rawMs(duration);
  if (ms === undefined || !Number.isFinite(ms) || ms < 0 || ms > longestMs) {
    throw new HatchetError('INVALID_DURATION', `${typeof duration === 'number' ? duration : JSON.stringify(duration)} is not a duration`, {
      remedy: "Use a text such as '500ms', '90s' or '42m30s', an object such as { minutes: 5 }, or a number of milliseconds",
    });
  }
  return Math.round(ms);
}

/**
 * The duration as the wire carries it. Texts pass through unchanged.
 * @throws HatchetError INVALID_DURATION
 */
export function durationToString(duration: Duration): string {
  const ms = durationToMs(duration);
  if (typeof duration === 'string') return duration;
  if (ms === 0) return '0s';
  let rest = ms;
  let text = '';
  for (const unit of ['h', 'm', 's', 'ms'] satisfies Unit[]) {
    const count = Math.floor(rest / unitMs[unit]);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * unitMs[unit];
  }
  return text;
}

function rawMs(duration: Duration): number | undefined {
  if (typeof duration === 'number') return duration;
  if (typeof duration === 'string') return wholeText.test(duration) ? textMs(duration) : undefined;
  // Callers without types; and objects of other libraries, whose days would be lost in silence.
  if (typeof duration !== 'object' || duration === null || Object.keys(duration).some((name) => !parts.has(name))) return undefined;
  const { hours = 0, minutes = 0, seconds = 0, milliseconds = 0 } = duration;
  if ([hours, minutes, seconds, milliseconds].some((amount) => amount < 0)) return undefined;
  return hours * unitMs.h + minutes * unitMs.m + seconds * unitMs.s + milliseconds;
}

function isUnit(text: string): text is Unit {
  return Object.hasOwn(unitMs, text);
}

function textMs(text: string): number {
  let total = 0;
  for (const [, amount, unit = ''] of text.matchAll(part)) total += Number(amount) * (isUnit(unit) ? unitMs[unit] : 0);
  return total;
}
