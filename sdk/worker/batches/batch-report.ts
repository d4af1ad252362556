import {
  StepActionEventType,
  type AssignedAction,
  type BatchActionEvent,
  type BatchActionEventItem,
} from '../../../proto/gen/hatchet/contract/dispatcher.ts';
import { failurePayload, type AttemptResult } from '../attempt-result.ts';

/** Bytes of one report: the engine takes messages of up to 4 MiB. */
const longestReport = 3 * 1024 * 1024;

export interface MemberResult {
  readonly id: string;
  readonly result: AttemptResult;
}

/** The first thing that is said of a batch. */
export function batchStartedEvent(action: AssignedAction, workerId: string, ids: readonly string[]): BatchActionEvent {
  return {
    ...identity(action, workerId),
    eventType: StepActionEventType.STEP_EVENT_TYPE_STARTED,
    items: ids.map((id) => ({ taskRunExternalId: id, eventPayload: '' })),
  };
}

/** The last thing that is said of members: in as many reports as their size asks for. */
export function batchResultEvents(
  action: AssignedAction,
  workerId: string,
  results: readonly MemberResult[],
): BatchActionEvent[] {
  const completed = results.flatMap(({ id, result }) =>
    result.status === 'completed' ? [{ taskRunExternalId: id, eventPayload: result.json }] : [],
  );
  const failed = results.flatMap(({ id, result }) =>
    result.status === 'failed'
      ? [{ taskRunExternalId: id, eventPayload: failurePayload(result), shouldNotRetry: !result.retry }]
      : [],
  );
  const events = (eventType: StepActionEventType, items: BatchActionEventItem[]): BatchActionEvent[] =>
    pages(items).map((page) => ({ ...identity(action, workerId), eventType, items: page }));
  return [
    ...events(StepActionEventType.STEP_EVENT_TYPE_COMPLETED, completed),
    ...events(StepActionEventType.STEP_EVENT_TYPE_FAILED, failed),
  ];
}

function pages(items: readonly BatchActionEventItem[]): BatchActionEventItem[][] {
  const all: BatchActionEventItem[][] = [];
  let left = 0;
  for (const item of items) {
    const bytes = Buffer.byteLength(item.eventPayload) + 100;
    const page = all.at(-1);
    if (page !== undefined && bytes <= left) {
      page.push(item);
      left -= bytes;
    } else {
      all.push([item]);
      left = longestReport - bytes;
    }
  }
  return all;
}

function identity(
  { jobId, actionId, batchId }: AssignedAction,
  workerId: string,
): Omit<BatchActionEvent, 'eventType' | 'items'> {
  return { workerId, jobId, actionId, batchId, eventTimestamp: new Date() };
}
