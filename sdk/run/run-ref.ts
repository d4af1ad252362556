import { notAwaitedYet } from './not-awaited-yet.ts';

/** What a reference does, on behalf of the client that made it. */
export interface RunRefActions {
  result<Output>(
    runId: string,
    standaloneTaskName: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Output>;
  cancel(runId: string): Promise<void>;
  replay(runId: string): Promise<void>;
}

/** A run that was started. */
export class WorkflowRunRef<Output> {
  /** The run's id. */
  readonly workflowRunId: string;
  /** The id of the run whose task started it. */
  readonly parentWorkflowRunId: string | undefined;
  readonly #actions: RunRefActions;
  readonly #standaloneTaskName: string | undefined;
  readonly #signal: AbortSignal | undefined;

  constructor(
    workflowRunId: string,
    actions: RunRefActions,
    facts: {
      standaloneTaskName?: string | undefined;
      parentWorkflowRunId?: string | undefined;
      signal?: AbortSignal | undefined;
    } = {},
  ) {
    this.workflowRunId = workflowRunId;
    this.parentWorkflowRunId = facts.parentWorkflowRunId;
    this.#actions = actions;
    this.#standaloneTaskName = facts.standaloneTaskName;
    this.#signal = facts.signal;
  }

  /** The run's id. */
  get runId(): Promise<string> {
    return Promise.resolve(this.workflowRunId);
  }

  /** The run's id. */
  async getWorkflowRunId(): Promise<string> {
    return this.workflowRunId;
  }

  /** The run's output, once it has ended. Same as `result()`. */
  get output(): Promise<Output> {
    return this.result();
  }

  /**
   * The run's output, once it has ended: a task's own output, a workflow's `{step: output}`.
   * @throws RunFailedError where a task failed; RunCancelledError where the run was cancelled.
   */
  result(): Promise<Output> {
    return notAwaitedYet(this.#actions.result<Output>(this.workflowRunId, this.#standaloneTaskName, this.#signal));
  }

  /** Cancels the run: queued tasks at once, running ones are told. Without effect on a run that has ended. */
  cancel(): Promise<void> {
    return notAwaitedYet(this.#actions.cancel(this.workflowRunId));
  }

  /** Runs its tasks again under the same id. */
  replay(): Promise<void> {
    return notAwaitedYet(this.#actions.replay(this.workflowRunId));
  }

  toJSON(): { workflowRunId: string } {
    return { workflowRunId: this.workflowRunId };
  }
}
