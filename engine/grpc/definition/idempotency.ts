import { expression } from '../../edge/parse/expression.ts';
import { invalid } from '../../edge/parse/invalid.ts';
import type { IdempotencyRule } from '../../model/definition.ts';
import { IdempotencyMethod, type IdempotencyConfig } from '../../../proto/gen/hatchet/contract/v1/workflows.ts';

/** A year. */
const longestTtlMs = 366n * 86_400_000n;

/** @throws HatchetError INVALID_ARGUMENT */
export function readIdempotency(config: IdempotencyConfig | undefined, workflow: string): IdempotencyRule | null {
  if (config === undefined) return null;
  const { ttlMs, method } = config;
  if (ttlMs <= 0n || ttlMs > longestTtlMs)
    throw invalid(
      `the idempotency of workflow ${workflow} holds a key for ${ttlMs} ms`,
      'Choose a time of up to a year.',
    );
  return {
    expression: expression(config.expression, `the idempotency expression of workflow ${workflow}`),
    ttlMs: Number(ttlMs),
    method: method === IdempotencyMethod.STATUS ? 'STATUS' : 'TTL',
  };
}
