import type { AssignedAction } from '../../proto/gen/hatchet/contract/dispatcher.ts';

/** One run of a batch, as the action's payload has it. */
export interface BatchMember {
  readonly id: string;
  /** The batch's action in the words of one that starts this run alone. */
  readonly action: AssignedAction;
  /** Absent where the engine does not say it: then the batch's id alone tells the attempts apart. */
  readonly retryCount: number | undefined;
}

/** `{id: {payload, workflow_run_id, retry_count}}`, in its order. @throws SyntaxError for a text that is not JSON */
export function batchMembers(action: AssignedAction): BatchMember[] {
  const parsed: unknown = JSON.parse(action.actionPayload === '' ? '{}' : action.actionPayload);
  return Object.entries(Object(parsed)).map(([id, item]) => {
    const { payload = {}, workflow_run_id: runId = id, retry_count: retryCount } = Object(item);
    const count = typeof retryCount === 'number' ? retryCount : undefined;
    return { id, retryCount: count, action: { ...action, workflowRunId: String(runId), taskRunExternalId: id, jobRunId: id, taskId: id, retryCount: count ?? 0, actionPayload: JSON.stringify(payload) } };
  });
}
