import { HatchetError } from '../errors.ts';
import { rateLimitWindows, type RateLimitWindow } from '../model/definition.ts';
import type { PutRateLimitRequest } from '../../proto/gen/hatchet/contract/workflows.ts';

const longestKey = 1000;

/** @throws HatchetError INVALID_ARGUMENT */
export function readRateLimit(request: PutRateLimitRequest): { key: string; limit: number; window: RateLimitWindow } {
  const { key, limit } = request;
  if (key === '' || key.length > longestKey || key.includes('\0')) throw new HatchetError('INVALID_ARGUMENT', `the rate limit's key has ${key.length} characters`, { remedy: `Use 1 to ${longestKey} characters, without NUL.` });
  if (limit < 0) throw new HatchetError('INVALID_ARGUMENT', `rate limit ${key} is ${limit}`, { remedy: 'Choose a number from 0.' });
  return { key, limit, window: windowOf(request.duration, `rate limit ${key}`) };
}

/** @throws HatchetError INVALID_ARGUMENT */
export function windowOf(wire: number, where: string): RateLimitWindow {
  const window = rateLimitWindows[wire];
  if (window === undefined) throw new HatchetError('INVALID_ARGUMENT', `${where} has the unknown duration ${wire}`, { remedy: 'Use SECOND, MINUTE, HOUR, DAY, WEEK, MONTH or YEAR.' });
  return window;
}
