import { numbered } from '../../edge/parse/choice.ts';
import { largestInteger, wholeNumber } from '../../edge/parse/number.ts';
import { text } from '../../edge/parse/text.ts';
import type { Checked } from '../../model/checked.ts';
import { rateLimitWindows, type RateLimitWindow } from '../../model/definition.ts';
import type { PutRateLimitRequest } from '../../../proto/gen/hatchet/contract/workflows.ts';

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
export function windowOf(wire: number, where: string): RateLimitWindow {
  return numbered(wire, `the duration of ${where}`, rateLimitWindows);
}
