import type { Dispatcher } from '../../dispatch/dispatcher.ts';
import type { Commands, Parsed } from '../../edge/parsed-commands.ts';
import { id } from '../../edge/parse/id.ts';
import { atMost } from '../../edge/parse/list.ts';
import { largestInteger, wholeNumber } from '../../edge/parse/number.ts';
import { reportedFailure, reportedOutcome, retryDelay, type ReportedOutcome } from '../../edge/parse/attempt-report.ts';
import type { Checked } from '../../model/checked.ts';
import { maxBatchSize } from '../../model/limits.ts';
import type { BatchReportItem } from '../../plan/commands/attempts/batch-report.ts';
import {
  StepActionEventType,
  type BatchActionEvent,
  type BatchActionEventItem,
} from '../../../proto/gen/hatchet/contract/dispatcher.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** A report names its batch, or each item its attempt; whatever it says, it is acknowledged: the SDK would only repeat it. */
export async function reportBatch(
  { owner, dispatcher }: { owner: Commands; dispatcher: Dispatcher },
  event: BatchActionEvent,
  tenantId: TenantId,
): Promise<void> {
  const given = event.batchId ?? '';
  const batchId = given === '' ? null : id(given, "the batch's id");
  const members = atMost(event.items, 'the members of the batch', maxBatchSize).map((item) => ({
    item,
    ref: refOf(item),
  }));
  // Before their outputs are read, which may take its time.
  for (const { ref } of members) dispatcher.heard(tenantId, { ...ref, batchId });
  const read = members.map(async ({ item, ref }) =>
    readItem(event.eventType, { item, ref, outcome: (text) => reportedOutcome(owner.payloads, tenantId, text) }),
  );
  const items = (await Promise.all(read)).filter((item) => item !== undefined);
  if (items.length > 0) await owner.submit({ kind: 'batchReport', tenantId, batchId, items });
}

/** How long a retry is to wait, where the task said so. */
function retryAfter({ retryAfterMs }: { retryAfterMs?: bigint | undefined }): Checked<number> | null {
  return retryDelay(retryAfterMs);
}

interface MemberRef {
  taskId: Checked<string>;
  attempt: Checked<number> | null;
}

/** @throws HatchetError INVALID_ARGUMENT */
function refOf(item: BatchActionEventItem): MemberRef {
  return {
    taskId: id(item.taskRunExternalId, "a task run's id"),
    attempt:
      item.retryCount === undefined
        ? null
        : wholeNumber(item.retryCount, 'the retry count', { min: 0, max: largestInteger }),
  };
}

async function readItem(
  type: StepActionEventType,
  member: {
    item: BatchActionEventItem;
    ref: MemberRef;
    outcome: (text: string) => ReportedOutcome | Promise<ReportedOutcome>;
  },
): Promise<Parsed<BatchReportItem> | undefined> {
  const { item, ref, outcome } = member;
  const mayRetry = item.shouldNotRetry !== true;
  switch (type) {
    case StepActionEventType.STEP_EVENT_TYPE_STARTED:
      return { event: 'started', ...ref };
    case StepActionEventType.STEP_EVENT_TYPE_COMPLETED: {
      const reported = await outcome(item.eventPayload);
      return reported.ok
        ? { event: 'completed', ...ref, output: reported.output }
        : { event: 'failed', ...ref, error: reported.error, mayRetry };
    }
    case StepActionEventType.STEP_EVENT_TYPE_FAILED:
      return {
        event: 'failed',
        ...ref,
        error: reportedFailure(item.eventPayload),
        mayRetry,
        retryAfterMs: retryAfter(item),
      };
    case StepActionEventType.STEP_EVENT_TYPE_CANCELLED:
      return { event: 'cancelled', ...ref };
    case StepActionEventType.STEP_EVENT_TYPE_ACKNOWLEDGED:
    case StepActionEventType.STEP_EVENT_TYPE_UNKNOWN:
      return undefined;
  }
}
