import { toldError } from '../model/payload/split-error.ts';
import { actionPayload, withFilterPayload } from './action-payload.ts';
import type { Assignment } from '../model/task/effect.ts';
import type { Sending } from './sending.ts';
import type { RunPayload } from '../model/payload/run-payload.ts';
import type { WorkerMessage } from './worker-session.ts';

/** What was read for the assignments. */
export interface Reads {
  runOf: (runId: string) => RunPayload | undefined;
  outputOf: (taskId: string) => string | undefined;
  errorOf: (taskId: string) => string | undefined;
  /** Of a task that has one of its own. */
  inputOf: (taskId: string) => string | undefined;
}

/** An assignment whose run's payload is at hand. */
export interface ReadyAssignment {
  assignment: Assignment;
  run: RunPayload;
}

/** The message that starts one attempt, or the members of a batch as one call. */
export function startMessage(
  batch: Sending['batch'],
  ready: readonly ReadyAssignment[],
  reads: Reads,
): WorkerMessage | undefined {
  const [first] = ready;
  if (first === undefined) return undefined;
  const { tenantId, workflowId, versionId, runId, taskId, stepName, action, attempt, invocation, priority } =
    first.assignment;
  const common = {
    tenantId,
    workflowId,
    versionId,
    runId,
    taskId,
    stepName,
    action,
    attempt,
    invocation,
    priority,
  };
  if (batch === null)
    return {
      kind: 'start',
      ...common,
      payload: payloadOf(first, reads),
      metadata: first.run.metadata,
      child: childOf(first.run),
    };
  const members = ready.map(
    (each) =>
      `${JSON.stringify(each.assignment.taskId)}:{"payload":${payloadOf(each, reads)},"workflow_run_id":${JSON.stringify(each.assignment.runId)},"retry_count":${each.assignment.attempt},"additional_metadata":${each.run.metadata}}`,
  );
  return {
    kind: 'startBatch',
    ...common,
    payload: `{${members.join(',')}}`,
    metadata: first.run.metadata,
    child: null,
    size: ready.length,
    batch,
  };
}

function childOf({
  parentTaskId,
  childIndex,
  childKey,
}: RunPayload): { parentTaskId: string; index: number | null; key: string | null } | null {
  return parentTaskId === null ? null : { parentTaskId, index: childIndex, key: childKey };
}

function payloadOf({ assignment, run }: ReadyAssignment, { outputOf, errorOf, inputOf }: Reads): string {
  const parents = assignment.parents.map(({ name, taskId }) => ({
    name,
    json: outputOf(taskId) ?? '{}',
  }));
  const errors = assignment.failed.map(({ name, taskId }) => ({
    name,
    json: JSON.stringify(toldError(errorOf(taskId) ?? '')),
  }));
  return actionPayload({
    input: assignment.inputBranch === null ? run.input : (inputOf(assignment.taskId) ?? run.input),
    parents,
    triggers: withFilterPayload(assignment.triggers, run.filterPayload),
    errors,
  });
}
