import { toldError } from '../model/payload/split-error.ts';
import { actionPayload, byName, parentOutput, withFilterPayload, type ActionParts } from './action-payload.ts';
import type { Assignment } from '../model/task/effect.ts';
import type { Sending } from './worker-message.ts';
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
  if (batch === null) {
    const { assignment, run } = first;
    return {
      kind: 'start',
      tenantId: assignment.tenantId,
      workflowId: assignment.workflowId,
      versionId: assignment.versionId,
      runId: assignment.runId,
      taskId: assignment.taskId,
      stepName: assignment.stepName,
      action: assignment.action,
      attempt: assignment.attempt,
      invocation: assignment.invocation,
      priority: assignment.priority,
      parts: partsOf(first, reads),
      metadata: run.metadata,
      child: childOf(run),
    };
  }
  const { tenantId, workflowId, versionId, runId, taskId, stepName, action, attempt, invocation, priority } =
    first.assignment;
  const members = ready.map(
    (each) =>
      `${JSON.stringify(each.assignment.taskId)}:{"payload":${actionPayload(partsOf(each, reads))},"workflow_run_id":${JSON.stringify(each.assignment.runId)},"retry_count":${each.assignment.attempt},"additional_metadata":${each.run.metadata}}`,
  );
  return {
    kind: 'startBatch',
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

function partsOf({ assignment, run }: ReadyAssignment, { outputOf, errorOf, inputOf }: Reads): ActionParts {
  const { parents, failed, triggers, inputBranch, taskId } = assignment;
  return {
    input: inputBranch === null ? run.input : (inputOf(taskId) ?? run.input),
    parents: byName(
      parents.map((parent) => ({ name: parent.name, json: parentOutput(outputOf(parent.taskId) ?? '{}') })),
    ),
    errors: byName(
      failed.map((task) => ({ name: task.name, json: JSON.stringify(toldError(errorOf(task.taskId) ?? '')) })),
    ),
    triggers: withFilterPayload(triggers, run.filterPayload),
  };
}
