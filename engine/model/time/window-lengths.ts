import type { RateLimitWindow } from '../definition.ts';

const second = 1_000_000;
const day = 86_400 * second;

/** Fixed lengths: a month is 30 days, a year 365. */
export const windowMicros: Record<RateLimitWindow, number> = {
  SECOND: second,
  MINUTE: 60 * second,
  HOUR: 3600 * second,
  DAY: day,
  WEEK: 7 * day,
  MONTH: 30 * day,
  YEAR: 365 * day,
};
