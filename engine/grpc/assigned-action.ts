import { actionPayload } from '../dispatch/action-payload.ts';
import type { WorkerMessage } from '../dispatch/worker-session.ts';
import { ActionType, type AssignedAction } from '../../proto/gen/hatchet/contract/dispatcher.ts';

/** What a worker is to do, in the words of the contract. */
export function assignedAction(message: WorkerMessage): AssignedAction {
  const start = message.kind === 'cancel' ? undefined : message;
  return {
    tenantId: message.tenantId,
    workflowRunId: message.runId,
    getGroupKeyRunId: '',
    jobId: '',
    jobName: message.stepName,
    jobRunId: message.taskId,
    taskId: message.taskId,
    taskRunExternalId: message.taskId,
    actionId: message.action,
    actionType: actionTypes[message.kind],
    actionPayload: payloadOf(message),
    taskName: message.stepName,
    retryCount: message.attempt,
    durableTaskInvocationCount: message.invocation ?? undefined,
    additionalMetadata: start?.metadata ?? '{}',
    priority: start?.priority ?? 1,
    workflowId: start?.workflowId,
    workflowVersionId: start?.versionId,
    parentWorkflowRunId: start?.child?.parentTaskId,
    childWorkflowIndex: start?.child?.index ?? undefined,
    childWorkflowKey: start?.child?.key ?? undefined,
    ...(message.kind === 'startBatch' ? batchFields(message) : triggeringEvent(start?.metadata)),
  };
}

function payloadOf(message: WorkerMessage): string {
  if (message.kind === 'cancel') return '';
  return message.kind === 'start' ? actionPayload(message.parts) : message.payload;
}

const actionTypes = {
  start: ActionType.START_STEP_RUN,
  startBatch: ActionType.START_BATCH,
  cancel: ActionType.CANCEL_STEP_RUN,
} as const;

function batchFields({ batch, size }: WorkerMessage & { kind: 'startBatch' }): Partial<AssignedAction> {
  return {
    batchId: batch.id,
    batchKey: batch.key,
    batchSize: size,
    batchStartPayload: { triggerReason: batch.reason, triggerTime: new Date(batch.atUs / 1000), expectedSize: size },
  };
}

/** A run that an event started carries it in its metadata. */
function triggeringEvent(metadata: string | undefined): {
  triggeringEventExternalId?: string;
  triggeringEventKey?: string;
} {
  if (metadata === undefined || !metadata.includes('"hatchet__event_id"')) return {};
  const given: { hatchet__event_id?: unknown; hatchet__event_key?: unknown } = Object(JSON.parse(metadata));
  const { hatchet__event_id: id, hatchet__event_key: key } = given;
  return typeof id === 'string' && typeof key === 'string'
    ? { triggeringEventExternalId: id, triggeringEventKey: key }
    : {};
}
