import { optionalExpression } from '../../edge/parse/expression.ts';
import { invalid } from '../../edge/parse/invalid.ts';
import { wholeNumber } from '../../edge/parse/number.ts';
import type { BatchRule } from '../../model/definition.ts';
import { maxBatchSize } from '../../model/limits.ts';
import type { CreateTaskOpts } from '../../../proto/gen/hatchet/contract/v1/workflows.ts';

/** A day. */
const longestIntervalMs = 86_400_000;

/** @throws HatchetError INVALID_ARGUMENT */
export function readBatch(
  { batch, isDurable }: Pick<CreateTaskOpts, 'batch' | 'isDurable'>,
  where: string,
): BatchRule | null {
  if (batch === undefined) return null;
  if (isDurable)
    throw invalid(
      `a batch is asked for ${where}, which is durable`,
      'Make it one of the two: a durable task has a log of its own.',
    );
  const { batchMaxSize, batchMaxIntervalMs, batchGroupKey, batchGroupMaxRuns, broadcastOutput } = batch;
  return {
    maxSize: wholeNumber(batchMaxSize, `the batch size ${where}`, { min: 1, max: maxBatchSize }),
    maxIntervalMs:
      batchMaxIntervalMs === undefined
        ? null
        : wholeNumber(batchMaxIntervalMs, `the batch interval in milliseconds ${where}`, {
            min: 1,
            max: longestIntervalMs,
          }),
    groupKey: optionalExpression(batchGroupKey, `the batch group key ${where}`),
    groupMaxRuns:
      batchGroupMaxRuns === undefined
        ? null
        : wholeNumber(batchGroupMaxRuns, `the batches that may run at once ${where}`, {
            min: 1,
            max: 1_000_000_000,
          }),
    broadcastOutput: broadcastOutput ?? false,
  };
}
