import { ActionType, type AssignedAction } from '../proto/gen/hatchet/contract/dispatcher.ts';
import type { AssignedTasks, TaskDetails } from '../proto/gen/hatchet/session/v1/session.ts';

const idLength = 36;

/** A task of a session, in the words of the contract: what most tasks never ask for is made for who asks. */
export class AssignedTask implements AssignedAction {
  readonly tenantId = '';
  readonly getGroupKeyRunId = '';
  readonly jobId = '';
  readonly actionType = ActionType.START_STEP_RUN;
  jobName: string;
  readonly taskRunExternalId: string;
  readonly workflowRunId: string;
  readonly retryCount: number;
  readonly priority: number;
  readonly durableTaskInvocationCount: number | undefined;
  /** JSON. */
  readonly input: string;
  readonly #step: AssignedTasks;
  readonly #details: TaskDetails | undefined;

  constructor(
    step: AssignedTasks,
    index: number,
    own: { readonly input: string; readonly details: TaskDetails | undefined },
  ) {
    const at = index * idLength;
    this.jobName = step.stepName;
    this.taskRunExternalId = step.taskIds.slice(at, at + idLength);
    this.workflowRunId = step.runIds === '' ? this.taskRunExternalId : step.runIds.slice(at, at + idLength);
    this.retryCount = step.attempts[index] ?? 0;
    this.priority = step.priorities[index] ?? 1;
    this.durableTaskInvocationCount = step.invocations[index];
    this.input = own.input;
    this.#step = step;
    this.#details = own.details;
  }

  /** As the contract's stream carries it. */
  ofTenant(tenantId: string): AssignedAction {
    return {
      tenantId,
      workflowRunId: this.workflowRunId,
      getGroupKeyRunId: '',
      jobId: '',
      jobName: this.jobName,
      jobRunId: this.jobRunId,
      taskId: this.taskId,
      taskRunExternalId: this.taskRunExternalId,
      actionId: this.actionId,
      actionType: this.actionType,
      actionPayload: this.actionPayload,
      taskName: this.taskName,
      retryCount: this.retryCount,
      durableTaskInvocationCount: this.durableTaskInvocationCount,
      additionalMetadata: this.additionalMetadata,
      priority: this.priority,
      workflowId: this.workflowId,
      workflowVersionId: this.workflowVersionId,
      parentWorkflowRunId: this.parentWorkflowRunId,
      childWorkflowIndex: this.childWorkflowIndex,
      childWorkflowKey: this.childWorkflowKey,
      triggeringEventExternalId: this.triggeringEventExternalId,
      triggeringEventKey: this.triggeringEventKey,
    };
  }

  get jobRunId(): string {
    return this.taskRunExternalId;
  }

  get taskId(): string {
    return this.taskRunExternalId;
  }

  get taskName(): string {
    return this.#step.stepName;
  }

  get actionId(): string {
    return this.#step.actionId;
  }

  get workflowId(): string {
    return this.#step.workflowId;
  }

  get workflowVersionId(): string {
    return this.#step.versionId;
  }

  get additionalMetadata(): string {
    return objectOf(this.#details?.metadata);
  }

  get parentWorkflowRunId(): string | undefined {
    return this.#details?.parentTaskId;
  }

  get childWorkflowIndex(): number | undefined {
    return this.#details?.childIndex;
  }

  get childWorkflowKey(): string | undefined {
    return this.#details?.childKey;
  }

  get triggeringEventExternalId(): string | undefined {
    return this.#event?.id;
  }

  get triggeringEventKey(): string | undefined {
    return this.#event?.key;
  }

  /** JSON objects: outputs of the parents, what met the conditions, and errors of the tasks that failed. */
  get told(): { readonly parents: string; readonly triggers: string; readonly errors: string } | undefined {
    return this.#details;
  }

  get actionPayload(): string {
    const { parents, triggers, errors } = this.#details ?? {};
    return `{"input":${this.input},"triggered_by":"manual","parents":${objectOf(parents)},"triggers":${objectOf(triggers)},"user_data":{},"overrides":{},"step_run_errors":${objectOf(errors)}}`;
  }

  /** A run that an event started carries it in its metadata. */
  get #event(): { readonly id: string; readonly key: string } | undefined {
    const metadata = this.#details?.metadata ?? '';
    if (!metadata.includes('"hatchet__event_id"')) return undefined;
    const {
      hatchet__event_id: id,
      hatchet__event_key: key,
    }: { hatchet__event_id?: unknown; hatchet__event_key?: unknown } = Object(JSON.parse(metadata));
    return typeof id === 'string' && typeof key === 'string' ? { id, key } : undefined;
  }
}

function objectOf(json: string | undefined): string {
  return json === undefined || json === '' ? '{}' : json;
}

/** The tasks of a message, in their order. */
export function eachTask(step: AssignedTasks, take: (task: AssignedTask) => void): void {
  const details = step.details.values();
  let next = details.next().value;
  let at = 0;
  for (const [index, length] of step.inputLengths.entries()) {
    const isNext = next?.index === index;
    take(
      new AssignedTask(step, index, { input: step.inputs.slice(at, at + length), details: isNext ? next : undefined }),
    );
    if (isNext) next = details.next().value;
    at += length;
  }
}
