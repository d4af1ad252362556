import { numbered } from '../../edge/parse/choice.ts';
import { largestInteger, wholeNumber } from '../../edge/parse/number.ts';
import { text } from '../../edge/parse/text.ts';
import { invalid, quoted } from '../../edge/parse/invalid.ts';
import { moment } from '../../edge/parse/time.ts';
import { markChecked, type Checked } from '../../model/checked.ts';
import { rateLimitWindows, type RateLimitWindow } from '../../model/definition.ts';
import type { PauseRateLimitRequest, PutRateLimitRequest } from '../../../proto/gen/hatchet/contract/workflows.ts';

/** @throws HatchetError INVALID_ARGUMENT */
export function readRateLimit(request: PutRateLimitRequest): {
  key: Checked<string>;
  limit: Checked<number>;
  window: RateLimitWindow;
} {
  const key = text(request.key, "the rate limit's key", { least: 1 });
  return {
    key,
    limit: wholeNumber(request.limit, `rate limit ${key}`, { min: 0, max: largestInteger }),
    window: windowOf(request.duration, `rate limit ${key}`),
  };
}

/** @throws HatchetError INVALID_ARGUMENT */
export function readRateLimitPause({ key, pausedUntil }: PauseRateLimitRequest): {
  key: Checked<string>;
  untilUs: Checked<number>;
} {
  const checkedKey = text(key, "the rate limit's key", { least: 1 });
  const what = `the time until which rate limit ${quoted(key)} is paused`;
  if (pausedUntil === undefined) throw invalid(`${what} is missing`, 'Send it as `paused_until`.');
  return { key: checkedKey, untilUs: markChecked(moment(pausedUntil, what) * 1000) };
}

/** @throws HatchetError INVALID_ARGUMENT */
export function windowOf(wire: number, where: string): RateLimitWindow {
  return numbered(wire, `the duration of ${where}`, rateLimitWindows);
}
