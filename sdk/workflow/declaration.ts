import type { WorkflowDefinition } from '../definition/workflow-definition.ts';
import type { CreateCron, Cron } from '../features/crons-client.ts';
import type { ScheduledRun, ScheduledTime } from '../features/scheduled-client.ts';
import { laterInput } from '../run/later-input.ts';
import { notAwaitedYet } from '../run/not-awaited-yet.ts';
import type { RunManyItem, RunOptions } from '../run/run-options.ts';
import type { WorkflowRunRef } from '../run/run-ref.ts';
import type { inputOf, outputOf, RunTarget } from '../run/run-target.ts';
import { runItems, type RunStarter } from '../run/run-starter.ts';
import type { StandardSchema } from '../schema/standard-schema.ts';
import type { Starts } from './starts.ts';

/** Options of runs that start later. */
export type LaterRunOptions = Pick<RunOptions, 'additionalMetadata' | 'priority'>;

/** Options of a cron. */
export type CronOptions = LaterRunOptions & Pick<CreateCron, 'timezone' | 'catchUp'>;

/** What a worker registers: a task or a workflow, whatever its types. */
export interface Runnable {
  readonly name: string;
  readonly definition: WorkflowDefinition;
}

/** What tasks and workflows have in common: they can be run. */
export abstract class Declaration<Input, Output> implements Runnable, RunTarget<Input, Output> {
  declare readonly [inputOf]?: Input;
  declare readonly [outputOf]?: Output;
  readonly definition: WorkflowDefinition;
  readonly #starts: Starts;

  constructor(definition: WorkflowDefinition, starts: Starts) {
    this.definition = definition;
    this.#starts = starts;
  }

  get #runner(): RunStarter {
    return this.#starts.runner;
  }

  abstract get standaloneTaskName(): string | undefined;

  get name(): string {
    return this.definition.name;
  }

  get inputSchema(): StandardSchema | undefined {
    return this.definition.inputSchema;
  }

  get loneTaskName(): string | undefined {
    const { steps, onFailure, onSuccess } = this.definition;
    return steps.length === 1 && onFailure === undefined && onSuccess === undefined ? steps[0]?.name : undefined;
  }

  /**
   * Runs it and waits for its output: a task's own, a workflow's `{task: output}`. Several inputs make several runs,
   * and give their outputs in the same order; with `returnExceptions`, errors in place of those of runs that failed, were
   * cancelled, or could not be started for their input or their idempotency key.
   * @throws SchemaError for an input that its schema refuses; RunFailedError; RunCancelledError;
   * HatchetError UNKNOWN_WORKFLOW where no worker has registered it yet, PAYLOAD_TOO_LARGE, UNREACHABLE, UNAUTHENTICATED.
   */
  run(input: Input[], options?: RunOptions & { returnExceptions?: false | undefined }): Promise<Output[]>;
  run(input: Input[], options: RunOptions): Promise<(Output | Error)[]>;
  run(input: Input, options?: RunOptions): Promise<Output>;
  run(input: Input | Input[], options?: RunOptions): Promise<Output | (Output | Error)[]> {
    if (!isList(input)) return notAwaitedYet(this.#runner.run({ target: this, input, options }));
    return notAwaitedYet(this.#runner.runMany(input.map((one) => ({ target: this, input: one, options }))));
  }

  /** Same as `run`. */
  runAndWait(input: Input[], options?: RunOptions & { returnExceptions?: false | undefined }): Promise<Output[]>;
  runAndWait(input: Input[], options: RunOptions): Promise<(Output | Error)[]>;
  runAndWait(input: Input, options?: RunOptions): Promise<Output>;
  runAndWait(input: Input | Input[], options: RunOptions = {}): Promise<Output | (Output | Error)[]> {
    return isList(input) ? this.run(input, options) : this.run(input, options);
  }

  /** Starts it, and gives a reference once the engine has the run on disk. @throws as run, up to the start */
  runNoWait(input: Input[], options?: RunOptions): Promise<WorkflowRunRef<Output>[]>;
  runNoWait(input: Input, options?: RunOptions): Promise<WorkflowRunRef<Output>>;
  runNoWait(input: Input | Input[], options?: RunOptions): Promise<WorkflowRunRef<Output> | WorkflowRunRef<Output>[]> {
    if (!isList(input)) return notAwaitedYet(this.#runner.start({ target: this, input, options }));
    return notAwaitedYet(this.#runner.startMany(input.map((one) => ({ target: this, input: one, options }))));
  }

  /** Runs it many times, each with its own options, and waits for all outputs, in the same order. @throws as run */
  runMany(
    runs: readonly (RunManyItem<Input> & { opts?: { returnExceptions?: false | undefined } | undefined })[],
  ): Promise<Output[]>;
  /** With `returnExceptions` for one of them, errors are listed for all. */
  runMany(runs: readonly RunManyItem<Input>[]): Promise<(Output | Error)[]>;
  runMany(runs: readonly RunManyItem<Input>[]): Promise<(Output | Error)[]> {
    return notAwaitedYet(this.#runner.runMany(runItems(this, runs)));
  }

  /** Starts it many times, each with its own options. @throws as runNoWait */
  runManyNoWait(runs: readonly RunManyItem<Input>[]): Promise<WorkflowRunRef<Output>[]> {
    return notAwaitedYet(this.#runner.startMany(runItems(this, runs)));
  }

  /**
   * Runs it at a time. A run of its own: no child of the task that asks for it, whose cancellation it outlives. In a durable task, ask
   * for it within a memo, or each replay asks again.
   * @throws SchemaError for an input that its schema refuses; HatchetError INVALID_ARGUMENT, PAYLOAD_TOO_LARGE, UNKNOWN_WORKFLOW, UNREACHABLE
   */
  schedule(at: Date, input: Input, options: LaterRunOptions = {}): Promise<ScheduledRun> {
    return this.#later({ triggerAt: at }, input, options);
  }

  /** Runs it so many seconds from now. @throws as schedule; HatchetError INVALID_DURATION */
  delay(seconds: number, input: Input, options: LaterRunOptions = {}): Promise<ScheduledRun> {
    return this.#later({ delay: { seconds } }, input, options);
  }

  /**
   * Runs it again and again.
   * @param name unique among its crons
   * @param expression five fields, or six with seconds first
   * @throws as schedule, and INVALID_ARGUMENT for a bad expression or a taken name
   */
  cron(name: string, expression: string, input: Input, options: CronOptions = {}): Promise<Cron> {
    const { additionalMetadata, priority, timezone, catchUp } = options;
    return notAwaitedYet(
      laterInput(this, input).then((arrives) =>
        this.#starts.crons.create(this, {
          name,
          expression,
          input: arrives,
          additionalMetadata,
          priority,
          timezone,
          catchUp,
        }),
      ),
    );
  }

  #later(time: ScheduledTime, input: Input, { additionalMetadata, priority }: LaterRunOptions): Promise<ScheduledRun> {
    return notAwaitedYet(
      laterInput(this, input).then((arrives) =>
        this.#starts.scheduled.create(this, { ...time, input: arrives, additionalMetadata, priority }),
      ),
    );
  }
}

function isList<Input>(input: Input | Input[]): input is Input[] {
  return Array.isArray(input);
}
