import { types } from 'node:util';
import type { AssignedAction } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import { durationToString, type Duration } from '../duration.ts';
import { asError, HatchetError, isError, TaskCancelledError } from '../errors.ts';
import { fieldOf, textOf } from '../failure/safe-reads.ts';
import type { LogLevel } from '../logger.ts';
import { beginsAsItsTask } from '../run/not-awaited-yet.ts';
import type { RunOptions } from '../run/run-options.ts';
import type { WorkflowRunRef } from '../run/run-ref.ts';
import type { RunTarget, TaskRef } from '../run/run-target.ts';
import type { RunItem } from '../run/run-starter.ts';
import { parseMetadata, type ActionPayload } from './action-payload.ts';
import type { ContextHost, LogLine } from './context-host.ts';
import { ContextWorker } from './context-worker.ts';
import { logLine, type LogDetails } from './log-line.ts';

/** Options of a child run; `key` is the same as `childKey`. */
export interface ChildRunOptions extends RunOptions {
  key?: string | undefined;
}

/** One of many children. */
export interface ChildRun<Input, Output> {
  workflow: RunTarget<Input, Output> | string;
  input: NoInfer<Input>;
  options?: ChildRunOptions | undefined;
}

/** One whose failure is thrown, not listed. */
export type ThrowingChildRun<Input, Output> = ChildRun<Input, Output> & {
  options?: { returnExceptions?: false | undefined } | undefined;
};

type LogMethod = (message: string, extra?: unknown) => Promise<void>;
type DetailedLogMethod = (message: string, details?: LogDetails) => Promise<void>;

/** Gives a context another input: for middleware, whose types vouch for what it adds. */
export let replaceInput: (ctx: Context, input: unknown) => void;

/** What a task knows about its run, and what it can do there. The second argument of every task function. */
export class Context<Input = unknown, UserData = unknown> {
  static {
    replaceInput = (ctx, input) => {
      ctx.#input = input;
    };
  }

  #input: Input;
  #worker: ContextWorker | undefined;
  readonly #action: AssignedAction;
  readonly #payload: ActionPayload;
  readonly #host: ContextHost;
  readonly #begin = beginsAsItsTask();
  readonly #abort: { readonly abortController: AbortController };
  #streamed = 0;

  constructor(facts: {
    input: Input;
    action: AssignedAction;
    payload: ActionPayload;
    /** Makes the controller for who asks. */
    abort: { readonly abortController: AbortController };
    host: ContextHost;
  }) {
    this.#input = facts.input;
    this.#abort = facts.abort;
    this.#action = facts.action;
    this.#payload = facts.payload;
    this.#host = facts.host;
  }

  /** The worker that runs the task. */
  get worker(): ContextWorker {
    return (this.#worker ??= new ContextWorker(this.#host, this.#begin));
  }

  /** Aborted when the task is cancelled. Hand `abortController.signal` to whatever takes a signal. */
  get abortController(): AbortController {
    return this.#abort.abortController;
  }

  /** The input, as the schema made it, with what middleware has added. */
  get input(): Input {
    return this.#input;
  }

  /** Whether the task was cancelled. Its result no longer counts then. */
  get cancelled(): boolean {
    return this.abortController.signal.aborted;
  }

  /** For broad `catch` blocks: throws the error again if it means that the task was cancelled. */
  rethrowIfCancelled(error: unknown): void {
    if (this.cancelled) throw this.abortController.signal.reason;
    if (isError(error) && fieldOf(error, 'name') === 'AbortError') throw error;
  }

  /** Throws where the task was cancelled: for loops that nothing else would end. @throws TaskCancelledError */
  throwIfCancelled(): void {
    this.abortController.signal.throwIfAborted();
  }

  /** Cancels this run. */
  cancel(): Promise<void> {
    return this.#begin(async () => {
      await this.#host.runner.cancelTasks([this.#action.taskRunExternalId]);
      this.abortController.abort(new TaskCancelledError('the task cancelled its own run'));
    });
  }

  /**
   * The output of a parent, with the type of its definition. A skipped parent's is `{ skipped: true }`.
   * @throws HatchetError NO_PARENT_OUTPUT where the task is no parent of this one.
   */
  parentOutput<Output = unknown>(parent: TaskRef<Output> | string): Promise<Output> {
    return this.#begin(async () => {
      const name = typeof parent === 'string' ? parent : parent.name;
      const { parents } = this.#payload;
      if (!Object.hasOwn(parents, name)) {
        throw new HatchetError('NO_PARENT_OUTPUT', `the task ${this.taskName()} has no parent ${name}`, {
          remedy: 'Name it in the `parents` of the task',
        });
      }
      // Each call gets its own copy, so that a change to it cannot be seen elsewhere.
      const output: Output = JSON.parse(JSON.stringify(parents[name]));
      return output;
    });
  }

  /** Messages of the run's failed tasks, by their names. For on-failure tasks. */
  errors(): Record<string, string> {
    return { ...this.#payload.errors };
  }

  /** Data of the conditions that were met, by their readable keys. */
  triggers(): Record<string, unknown> {
    return { ...this.#payload.triggers };
  }

  /** The payload of the filter that matched the event. */
  filterPayload(): Record<string, unknown> {
    const payload = this.#payload.triggers['filter_payload'];
    return typeof payload === 'object' && payload !== null ? { ...payload } : {};
  }

  /** Whether an event started the run. */
  triggeredByEvent(): boolean {
    return this.#payload.triggeredBy === 'event' || this.#action.triggeringEventExternalId !== undefined;
  }

  /** Id of the event that started the run. */
  triggeringEventId(): string | undefined {
    return this.#action.triggeringEventExternalId;
  }

  /** Key of the event that started the run. */
  triggeringEventKey(): string | undefined {
    return this.#action.triggeringEventKey;
  }

  /** The workflow's name, as its definition has it. */
  workflowName(): string {
    return this.#action.jobName;
  }

  /** Same as `workflowName()`, in the official SDK's spelling. */
  workflowNameV1(): string {
    return this.workflowName();
  }

  /** The task's name. */
  taskName(): string {
    return this.#action.taskName;
  }

  workflowRunId(): string {
    return this.#action.workflowRunId;
  }

  workflowId(): string | undefined {
    return this.#action.workflowId;
  }

  workflowVersionId(): string | undefined {
    return this.#action.workflowVersionId;
  }

  taskRunExternalId(): string {
    return this.#action.taskRunExternalId;
  }

  /** Attempts before this one: 0 in the first. */
  retryCount(): number {
    return this.#action.retryCount;
  }

  /** The metadata that the run was started with, and what it inherited. */
  additionalMetadata(): Record<string, string> {
    return parseMetadata(this.#action.additionalMetadata);
  }

  /** The effective priority, 1 to 3. */
  priority(): number | undefined {
    return this.#action.priority;
  }

  childIndex(): number | undefined {
    return this.#action.childWorkflowIndex;
  }

  childKey(): string | undefined {
    return this.#action.childWorkflowKey;
  }

  /** Id of the task run that started this run. */
  parentWorkflowRunId(): string | undefined {
    return this.#action.parentWorkflowRunId;
  }

  /** The user data that came with the run. */
  userData(): UserData {
    // As with outputs, the type is what the caller says.
    const data: UserData = JSON.parse(JSON.stringify(this.#payload.userData ?? null));
    return data;
  }

  /**
   * Writes a line to the run's log, and to the worker's. Lines of a task keep their order, and reach the engine in batches,
   * before its result as a rule. It resolves at once, unless thousands of lines wait; it never fails. More than 10,000
   * characters become several lines.
   * @param message what is no text is written as `console.log` shows it, an error with its stack
   * @param level @default 'INFO'
   */
  async log(message: string, level: Exclude<LogLevel, 'OFF'> = 'INFO', details: LogDetails = {}): Promise<void> {
    const line = logLine(message, level, details);
    this.#echo(line, fieldOf(details, 'error'));
    await this.#host.log(line);
  }

  /** `log` by level. */
  get logger(): { info: LogMethod; debug: LogMethod; warn: DetailedLogMethod; error: DetailedLogMethod } {
    return {
      info: (message, extra) => this.log(message, 'INFO', { extra }),
      debug: (message, extra) => this.log(message, 'DEBUG', { extra }),
      warn: (message, details) => this.log(message, 'WARN', details),
      error: (message, details) => this.log(message, 'ERROR', details),
    };
  }

  /** Sends a chunk to whoever follows the run's stream; chunks of a task keep their order. @throws HatchetError */
  putStream(data: string | Uint8Array): Promise<void> {
    return this.#begin(async () => {
      if (typeof data !== 'string' && !types.isUint8Array(data))
        throw new HatchetError('INVALID_ARGUMENT', `putStream takes a text or bytes, and was given ${textOf(data)}`, {
          remedy: 'Give a string or a Uint8Array, such as JSON.stringify(value)',
        });
      const number = this.#streamed++;
      await this.#host.putStream(this.#action.taskRunExternalId, {
        number,
        chunk: typeof data === 'string' ? new TextEncoder().encode(data) : data,
      });
    });
  }

  /** Gives this attempt more time. It is added to the deadline. @throws HatchetError */
  refreshTimeout(incrementBy: Duration): Promise<void> {
    return this.#begin(
      async () => await this.#host.refreshTimeout(this.#action.taskRunExternalId, durationToString(incrementBy)),
    );
  }

  /** Frees the worker's slot while the task goes on. @throws HatchetError */
  releaseSlot(): Promise<void> {
    return this.#begin(async () => await this.#host.releaseSlot(this.#action.taskRunExternalId));
  }

  /**
   * Starts a child and waits for its output. By name it is `{task: output}`, but in a durable task a workflow of one task gives that
   * task's own output.
   * @throws as a workflow's run
   */
  runChild<ChildInput, Output>(
    workflow: RunTarget<ChildInput, Output> | string,
    input: NoInfer<ChildInput>,
    options?: ChildRunOptions,
  ): Promise<Output> {
    return this.#begin(() => this.#host.runner.run(childItem({ workflow, input, options })));
  }

  /** Starts a child. */
  runNoWaitChild<ChildInput, Output>(
    workflow: RunTarget<ChildInput, Output> | string,
    input: NoInfer<ChildInput>,
    options?: ChildRunOptions,
  ): Promise<WorkflowRunRef<Output>> {
    return this.#begin(() => this.#host.runner.start(childItem({ workflow, input, options })));
  }

  /** Starts children and waits for all outputs, in their order. By name as `runChild`. */
  bulkRunChildren<ChildInput, Output>(children: readonly ThrowingChildRun<ChildInput, Output>[]): Promise<Output[]>;
  /** With `returnExceptions` for one of them, errors are listed for all. */
  bulkRunChildren<ChildInput, Output>(children: readonly ChildRun<ChildInput, Output>[]): Promise<(Output | Error)[]>;
  bulkRunChildren<ChildInput, Output>(children: readonly ChildRun<ChildInput, Output>[]): Promise<(Output | Error)[]> {
    return this.#begin(() => this.#host.runner.runMany(children.map(childItem)));
  }

  /** Starts children. */
  bulkRunNoWaitChildren<ChildInput, Output>(
    children: readonly ChildRun<ChildInput, Output>[],
  ): Promise<WorkflowRunRef<Output>[]> {
    return this.#begin(() => this.#host.runner.startMany(children.map(childItem)));
  }

  #echo({ level, message }: LogLine, error: unknown): void {
    const line = `${this.taskName()}: ${message}`;
    const { logger } = this.#host;
    const thrown = error === undefined ? undefined : asError(error);
    if (level === 'DEBUG') void logger.debug(line);
    else if (level === 'INFO') void logger.info(line);
    else if (level === 'WARN') void logger.warn(line, thrown);
    else void logger.error(line, thrown);
  }
}

function childItem<Input, Output>({ workflow, input, options }: ChildRun<Input, Output>): RunItem<Input, Output> {
  const { key, ...rest } = options ?? {};
  return { target: workflow, input, options: key === undefined ? rest : { ...rest, childKey: rest.childKey ?? key } };
}
