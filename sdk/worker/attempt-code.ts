import type { Connection } from '../connection/connection.ts';
import { parseMetadata, type ActionPayload } from '../context/action-payload.ts';
import { Context } from '../context/context.ts';
import type { IsolatedTasks } from '../isolation/attempts/isolated-tasks.ts';
import type { IsolatedStep } from '../isolation/definition/isolated-step.ts';
import type { AssignedAction } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import { withParentRun } from '../run/parent-run.ts';
import { validate } from '../schema/validate.ts';
import { isThenable } from '../thenable.ts';
import type { CarriedContext, SpanStart } from '../tracing.ts';
import type { Action, DurableAction, TaskAction } from './action.ts';
import { AttemptHost, type WorkerParts } from './attempt-host.ts';
import { RunningAttempt, type AttemptParts } from './attempt-parts.ts';
import { attemptPayload } from './attempt-payload.ts';
import { toFailure, toResult, type AttemptResult } from './attempt-result.ts';
import { left, type DurableTasks } from './durable-tasks.ts';

export interface AttemptCodeOptions extends WorkerParts {
  readonly connection: Connection;
  /** Whether what tasks print goes to their logs. */
  readonly capturesConsole: boolean;
  /** Runs those that are kept apart. */
  readonly isolated: IsolatedTasks;
  /** The action by its id, where this worker has it. */
  findAction(id: string): Action | undefined;
  /** Names of the workflows that the worker has registered. */
  workflows(): readonly string[];
}

/** How an attempt ended, or that it has left this worker before it did. */
export type AttemptEnd = AttemptResult | typeof left;

/** Runs the code of attempts: what it is given, and what becomes of what it gives. */
export class AttemptCode {
  readonly #options: AttemptCodeOptions;
  readonly #durable: DurableTasks;

  constructor(options: AttemptCodeOptions, durable: DurableTasks) {
    this.#options = options;
    this.#durable = durable;
  }

  /** Ends at once, without a promise, where the task's function gives none and nothing else has to be waited for. */
  run(parts: AttemptParts): AttemptEnd | Promise<AttemptEnd> {
    const { tracing } = this.#options.connection.config;
    if (tracing === undefined) return this.#run(parts);
    return tracing.attempt(this.#span(parts.action), () => this.#run(parts), failureOf);
  }

  #run(parts: AttemptParts): AttemptEnd | Promise<AttemptEnd> {
    const { action } = parts;
    try {
      const found = this.#options.findAction(action.actionId);
      if (found === undefined || 'batch' in found) throw new Error(`this worker has no task ${action.actionId}`);
      if ('durable' in found) return this.#runDurable(found, parts);
      if (found.isolation !== undefined) return this.#runApart(found.isolation, parts);
      const payload = attemptPayload(action);
      if (found.inputSchema !== undefined) return this.#runChecked(found, payload, parts);
      const output = this.#call(found, { payload, input: payload.input }, parts);
      if (found.outputSchema !== undefined) return checkedResult(found, action, output);
      if (!isThenable(output)) return toResult(action.taskName, output);
      return Promise.resolve(output).then((value) => toResult(action.taskName, value), toFailure);
    } catch (error) {
      return toFailure(error);
    }
  }

  /** With the names that Hatchet's own SDKs give its attributes: the engine shows spans with their run by them. */
  #span(action: AssignedAction): SpanStart & { metadata: CarriedContext } {
    return {
      name: 'hatchet.start_step_run',
      facts: {
        tenant_id: action.tenantId,
        worker_id: this.#options.view.workerId(),
        workflow_run_id: action.workflowRunId,
        workflow_name: action.jobName,
        workflow_id: action.workflowId,
        workflow_version_id: action.workflowVersionId,
        step_id: action.taskId,
        step_run_id: action.taskRunExternalId,
        step_name: action.taskName,
        action_name: action.actionId,
        retry_count: action.retryCount,
        invocation: action.durableTaskInvocationCount,
        parent_workflow_run_id: action.parentWorkflowRunId,
        child_workflow_index: action.childWorkflowIndex,
        child_workflow_key: action.childWorkflowKey,
      },
      payload: action.actionPayload,
      metadata: parseMetadata(action.additionalMetadata),
    };
  }

  async #runChecked(found: TaskAction, payload: ActionPayload, parts: AttemptParts): Promise<AttemptResult> {
    try {
      const input = await checkedInput(found, payload, parts.action);
      return await checkedResult(found, parts.action, this.#call(found, { payload, input }, parts));
    } catch (error) {
      return toFailure(error);
    }
  }

  async #runDurable(found: DurableAction, parts: AttemptParts): Promise<AttemptEnd> {
    const { action, attempt } = parts;
    try {
      const payload = attemptPayload(action);
      const input = found.inputSchema === undefined ? payload.input : await checkedInput(found, payload, action);
      const host = new AttemptHost(this.#options, parts);
      const facts = { input, action, payload, abort: attempt, host };
      const output = await this.#durable.run(found, facts, new RunningAttempt(parts, this.#options.view.workerId()));
      if (output === left) return left;
      if (found.outputSchema === undefined) return toResult(action.taskName, output);
      return await checkedResult(found, action, output);
    } catch (error) {
      return toFailure(error);
    }
  }

  async #runApart(step: IsolatedStep, parts: AttemptParts): Promise<AttemptResult> {
    const { connection, isolated, view, capturesConsole } = this.#options;
    const { namespace, cancellationGraceMs } = connection.config;
    try {
      return await isolated.run({
        step,
        action: parts.action,
        signal: parts.attempt.abortController.signal,
        connection,
        host: new AttemptHost(this.#options, parts),
        namespace,
        workflows: this.#options.workflows(),
        labels: view.labels(),
        capturesConsole: capturesConsole || step.level === 'sandbox',
        graceMs: cancellationGraceMs,
      });
    } catch (error) {
      return toFailure(error);
    }
  }

  /** The task's function, as code of its run. */
  #call({ body }: TaskAction, given: { payload: ActionPayload; input: unknown }, parts: AttemptParts): unknown {
    const { payload, input } = given;
    const { action, attempt: abort } = parts;
    const facts = { input, action, payload, abort, host: new AttemptHost(this.#options, parts) };
    return withParentRun(new RunningAttempt(parts, this.#options.view.workerId()), () =>
      body.run(input, new Context(facts)),
    );
  }
}

function failureOf(end: AttemptEnd): string | undefined {
  return end !== left && end.status === 'failed' ? end.message : undefined;
}

/** @throws SchemaError */
async function checkedInput(
  { inputSchema }: TaskAction | DurableAction,
  { input }: ActionPayload,
  { taskName }: AssignedAction,
): Promise<unknown> {
  if (inputSchema === undefined) return input;
  return await validate(inputSchema, input, 'INVALID_INPUT', `the input of ${taskName}`);
}

/** Of a function's output, or of the promise of one. */
async function checkedResult(
  { outputSchema }: TaskAction | DurableAction,
  { taskName }: AssignedAction,
  given: unknown,
): Promise<AttemptResult> {
  try {
    const output = await given;
    return toResult(
      taskName,
      outputSchema === undefined
        ? output
        : await validate(outputSchema, output, 'INVALID_OUTPUT', `the output of ${taskName}`),
    );
  } catch (error) {
    return toFailure(error);
  }
}
