import type { Identity } from '../auth/tokens.ts';
import { HatchetError } from '../errors.ts';
import { reportedError, reportedOutput } from '../model/payload.ts';
import { parseUuid } from '../model/uuid.ts';
import type { BatchReportItem } from '../plan/report-command.ts';
import type { Owner } from '../shard/owner.ts';
import { StepActionEventType, type BatchActionEvent, type BatchActionEventItem } from '../../proto/gen/hatchet/contract/dispatcher.ts';

/** A report names its batch, or each item its attempt; whatever it says, it is acknowledged: the SDK would only repeat it. */
export async function reportBatch(owner: Owner, event: BatchActionEvent, { tenantId }: Identity): Promise<void> {
  const given = event.batchId ?? '';
  const batchId = given === '' ? null : parseUuid(given);
  if (batchId === undefined) throw new HatchetError('INVALID_ARGUMENT', `${JSON.stringify(given)} is not a batch's id`);
  const items = event.items.flatMap((item) => readItem(event.eventType, item) ?? []);
  if (items.length > 0) await owner.submit(tenantId, { kind: 'batchReport', tenantId, batchId, items });
}

/** How long a retry is to wait, where the task said so; below nothing is at once. */
export function retryAfter({ retryAfterMs }: { retryAfterMs?: bigint | undefined }): number | null {
  return retryAfterMs === undefined ? null : Math.max(0, Number(retryAfterMs));
}

function readItem(type: StepActionEventType, item: BatchActionEventItem): BatchReportItem | undefined {
  const taskId = parseUuid(item.taskRunExternalId);
  if (taskId === undefined) throw new HatchetError('INVALID_ARGUMENT', `${JSON.stringify(item.taskRunExternalId)} is not a task run's id`);
  const ref = { taskId, attempt: item.retryCount ?? null };
  const mayRetry = item.shouldNotRetry !== true;
  switch (type) {
    case StepActionEventType.STEP_EVENT_TYPE_STARTED:
      return { event: 'started', ...ref };
    case StepActionEventType.STEP_EVENT_TYPE_COMPLETED: {
      const reported = reportedOutput(item.eventPayload);
      return reported.ok ? { event: 'completed', ...ref, output: reported.output } : { event: 'failed', ...ref, error: reported.error, mayRetry };
    }
    case StepActionEventType.STEP_EVENT_TYPE_FAILED:
      return { event: 'failed', ...ref, error: reportedError(item.eventPayload), mayRetry, retryAfterMs: retryAfter(item) };
    case StepActionEventType.STEP_EVENT_TYPE_CANCELLED:
      return { event: 'cancelled', ...ref };
    case StepActionEventType.STEP_EVENT_TYPE_ACKNOWLEDGED:
    case StepActionEventType.STEP_EVENT_TYPE_UNKNOWN:
      return undefined;
  }
}
