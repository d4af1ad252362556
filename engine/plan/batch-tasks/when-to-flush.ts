import type { BatchRule } from '../../model/definition.ts';
import { maxBatchBytes } from '../../model/limits.ts';

/** Why a batch goes: what `BatchStartPayload.triggerReason` says. */
export type FlushReason = 'batch_size_reached' | 'payload_size_reached' | 'interval_elapsed' | 'retry';

/**
 * Why the tasks that gather may go as a batch now; undefined while they may not.
 * @param tasks.isDue the one that has waited longest has done so for the rule's interval
 * @param tasks.hasRetried one of them has been in a batch before: it waits for no others
 */
export function flushReason(
  rule: BatchRule,
  tasks: { size: number; bytes: number; isDue: boolean; hasRetried: boolean },
): FlushReason | undefined {
  if (tasks.size === 0) return undefined;
  if (tasks.size >= rule.maxSize) return 'batch_size_reached';
  if (tasks.bytes >= maxBatchBytes) return 'payload_size_reached';
  if (tasks.isDue) return 'interval_elapsed';
  return tasks.hasRetried ? 'retry' : undefined;
}
