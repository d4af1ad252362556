import { markChecked, type Checked } from '../../model/checked.ts';
import { parseDuration } from '../../model/time/duration.ts';
import { invalid, quoted } from './invalid.ts';

/** Ids carry 48 bits of milliseconds: the year 10889. */
const latestMs = 2 ** 48 - 1;

/**
 * A moment, in milliseconds since 1970.
 * @throws HatchetError INVALID_ARGUMENT before 1970, after the year 10889, and for a date that is none
 */
export function moment(value: Date, what: string): Checked<number> {
  const ms = value.getTime();
  if (!(ms >= 0 && ms <= latestMs))
    throw invalid(
      `${what} is ${Number.isNaN(ms) ? 'no date' : value.toISOString()}`,
      'Send a time between the years 1970 and 10889.',
    );
  return markChecked(Math.trunc(ms));
}

/** A bound of a search: what lies outside is as good as the ends. @throws HatchetError INVALID_ARGUMENT for a date that is none */
export function bound(value: Date, what: string): Checked<number> {
  const ms = value.getTime();
  if (Number.isNaN(ms)) throw invalid(`${what} is no date`, 'Send a time such as 2026-01-31T12:00:00Z.');
  return markChecked(Math.trunc(Math.min(Math.max(ms, 0), latestMs)));
}

/** A text such as 2026-01-31T12:00:00Z. @throws HatchetError INVALID_ARGUMENT */
export function dateText(value: string, what: string): Date {
  const date = new Date(value.length > 64 ? '' : value);
  if (Number.isNaN(date.getTime()))
    throw invalid(`${what} is ${quoted(value)}`, 'Give a time such as 2026-01-31T12:00:00Z.');
  return date;
}

/** `500ms`, `90s`, `1h30m`, in milliseconds. @throws HatchetError INVALID_ARGUMENT for any other text, and past a bound */
export function duration(value: string, what: string, range: { least?: number; most?: number } = {}): Checked<number> {
  const ms = parseDuration(value);
  if (ms === undefined || ms < (range.least ?? 0))
    throw invalid(`${what} ${quoted(value)} is not a duration`, 'Write it like 500ms, 90s or 1h30m.');
  if (ms > (range.most ?? Number.MAX_SAFE_INTEGER))
    throw invalid(`${what} ${quoted(value)} is longer than ${range.most} ms`, 'Write it like 500ms, 90s or 1h30m.');
  return markChecked(ms);
}
