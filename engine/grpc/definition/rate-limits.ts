import { optionalExpression } from '../../edge/parse/expression.ts';
import { invalid } from '../../edge/parse/invalid.ts';
import { wholeNumber } from '../../edge/parse/number.ts';
import { text } from '../../edge/parse/text.ts';
import type { RateLimitUse } from '../../model/definition.ts';
import type { CreateTaskRateLimit } from '../../../proto/gen/hatchet/contract/v1/workflows.ts';
import { windowOf } from '../requests/rate-limit-request.ts';

/** Rate limits of one task. */
const most = 100;
/** MINUTE. */
const defaultDuration = 1;

/** @throws HatchetError INVALID_ARGUMENT */
export function readRateLimitUses(limits: readonly CreateTaskRateLimit[], where: string): RateLimitUse[] {
  if (limits.length > most) throw invalid(`${limits.length} rate limits are used ${where}`, `Use at most ${most}.`);
  return limits.map((limit) => readUse(limit, where));
}

function readUse(limit: CreateTaskRateLimit, where: string): RateLimitUse {
  const keyExpression = optionalExpression(limit.keyExpr, `the rate limit key expression ${where}`);
  // For a static key the SDKs send "-1" here.
  const limitExpression =
    keyExpression === null ? null : optionalExpression(limit.limitValuesExpr, `the rate limit expression ${where}`);
  if (keyExpression === null && limit.key === '')
    throw invalid(`a rate limit ${where} has no key`, 'Give it a static key, or an expression for a dynamic one.');
  if (keyExpression === null) text(limit.key, `the key of a rate limit ${where}`);
  if (keyExpression !== null && limitExpression === null)
    throw invalid(
      `the dynamic rate limit ${keyExpression} ${where} has no limit`,
      'Say how many units a window holds.',
    );
  return {
    key: limit.key,
    keyExpression,
    units: wholeNumber(limit.units ?? 1, `the units of rate limit ${limit.key} ${where}`, {
      min: 0,
      max: 1_000_000_000,
    }),
    unitsExpression: optionalExpression(limit.unitsExpr, `the rate limit units expression ${where}`),
    limitExpression,
    window: windowOf(limit.duration ?? defaultDuration, `a rate limit ${where}`),
  };
}
