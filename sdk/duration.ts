import { HatchetError } from './errors.ts';

const unitMs = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;
type Unit = keyof typeof unitMs;

type Milliseconds = `${number}ms`;
type Seconds = `${number}s`;
type Minutes = `${number}m`;
type Hours = `${number}h`;
type Days = `${number}d`;
type WithinDay =
  | Seconds
  | Minutes
  | Hours
  | `${Hours}${Minutes}`
  | `${Hours}${Seconds}`
  | `${Minutes}${Seconds}`
  | `${Hours}${Minutes}${Seconds}`;

export interface DurationObject {
  /** Of 24 hours. */
  days?: number | undefined;
  hours?: number | undefined;
  minutes?: number | undefined;
  seconds?: number | undefined;
  milliseconds?: number | undefined;
}

/**
 * A length of time: a text such as `'500ms'`, `'90s'`, `'42m30s'`, `'3d'`, where a day is 24 hours; an object such as `{ minutes: 5 }`;
 * or a number of milliseconds.
 */
export type Duration = Milliseconds | WithinDay | Days | `${Days}${WithinDay}` | DurationObject | number;

const parts: ReadonlySet<string> = new Set([
  'days',
  'hours',
  'minutes',
  'seconds',
  'milliseconds',
] satisfies (keyof DurationObject)[]);

const wholeText = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const part = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;

/** One hundred years, the engine's own bound: longer durations are mistakes. */
const longestMs = 100 * 365 * 24 * unitMs.h;

/**
 * Milliseconds of a duration.
 * @throws HatchetError INVALID_DURATION for signs, bare numbers in texts, other units, spaces, and more than 100 years.
 */
export function durationToMs(duration: Duration): number {
  const ms = rawMs(duration);
  if (ms === undefined || !Number.isFinite(ms) || ms < 0 || ms > longestMs) {
    throw new HatchetError(
      'INVALID_DURATION',
      `${typeof duration === 'number' ? duration : JSON.stringify(duration)} is not a duration`,
      {
        remedy:
          "Use a text such as '500ms', '90s', '42m30s' or '3d', an object such as { minutes: 5 }, or a number of milliseconds",
      },
    );
  }
  return Math.round(ms);
}

/**
 * The duration as the wire carries it, without days: the contract has none. Other texts pass through unchanged.
 * @throws HatchetError INVALID_DURATION
 */
export function durationToString(duration: Duration): string {
  const ms = durationToMs(duration);
  if (typeof duration === 'string' && !duration.includes('d')) return duration;
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
  // Callers without types; and objects of other libraries, whose months would be lost in silence.
  if (typeof duration !== 'object' || duration === null || Object.keys(duration).some((name) => !parts.has(name)))
    return undefined;
  const { days = 0, hours = 0, minutes = 0, seconds = 0, milliseconds = 0 } = duration;
  if ([days, hours, minutes, seconds, milliseconds].some((amount) => amount < 0)) return undefined;
  return days * unitMs.d + hours * unitMs.h + minutes * unitMs.m + seconds * unitMs.s + milliseconds;
}

function isUnit(text: string): text is Unit {
  return Object.hasOwn(unitMs, text);
}

function textMs(text: string): number {
  let total = 0;
  for (const [, amount, unit = ''] of text.matchAll(part)) total += Number(amount) * (isUnit(unit) ? unitMs[unit] : 0);
  return total;
}
