import type { AssignedAction } from '../../../proto/gen/hatchet/contract/dispatcher.ts';

/** One run of a batch, as the action's payload has it. */
export interface BatchMember {
  readonly id: string;
  /** The batch's action in the words of one that starts this run alone. */
  readonly action: AssignedAction;
  /** Absent where the engine does not say it: then the batch's id alone tells the attempts apart. */
  readonly retryCount: number | undefined;
}

/** `{id: {payload, workflow_run_id, retry_count, additional_metadata}}`, in its order; the last two are not every engine's. @throws SyntaxError for a text that is not JSON */
export function batchMembers(action: AssignedAction): BatchMember[] {
  const parsed: unknown = JSON.parse(action.actionPayload === '' ? '{}' : action.actionPayload);
  return Object.entries(Object(parsed)).map(([id, item]) => {
    const {
      payload = {},
      workflow_run_id: runId = id,
      retry_count: retryCount,
      additional_metadata: metadata,
    } = Object(item);
    const count = typeof retryCount === 'number' ? retryCount : undefined;
    return {
      id,
      retryCount: count,
      action: {
        ...action,
        workflowRunId: String(runId),
        taskRunExternalId: id,
        jobRunId: id,
        taskId: id,
        retryCount: count ?? 0,
        actionPayload: JSON.stringify(payload),
        ...ownMetadata(metadata),
      },
    };
  });
}

/** A run that an event started carries it in its metadata. */
function ownMetadata(metadata: unknown): Partial<AssignedAction> {
  if (typeof metadata !== 'object' || metadata === null) return {};
  const { hatchet__event_id: eventId, hatchet__event_key: eventKey } = Object(metadata);
  const event =
    typeof eventId === 'string' && typeof eventKey === 'string'
      ? { triggeringEventExternalId: eventId, triggeringEventKey: eventKey }
      : {};
  return { additionalMetadata: JSON.stringify(metadata), ...event };
}
