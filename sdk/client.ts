import { findLocalEngine } from './config/local-engine.ts';
import { resolveConfig, type ClientConfig } from './config/client-config.ts';
import type { ClientOptions } from './config/client-options.ts';
import { Connection } from './connection/connection.ts';
import type {
  BatchTaskOptions,
  BroadcastTaskOptions,
  CheckedDurableTaskOptions,
  CheckedOutput,
  CheckedTaskOptions,
  DurableTaskOptions,
  TaskOptions,
  WorkflowOptions,
} from './definition/task-options.ts';
import { declareEvent, type EventDeclaration } from './definition/event.ts';
import {
  toLayer,
  type Added,
  type AddedBy,
  type Extended,
  type ExtendedOutput,
  type Layer,
  type NothingAdded,
  type TaskMiddleware,
  type Without,
} from './definition/middleware.ts';
import { AuditClient } from './features/audit-client.ts';
import { CronsClient } from './features/crons-client.ts';
import { EventsClient } from './features/events-client.ts';
import { FiltersClient } from './features/filters-client.ts';
import { RateLimitsClient } from './features/rate-limits-client.ts';
import { ScheduledClient } from './features/scheduled-client.ts';
import { WebhooksClient } from './features/webhooks-client.ts';
import { WorkersClient } from './features/workers-client.ts';
import { WorkflowsClient } from './features/workflows-client.ts';
import type { CarriableBatchFn, CarriableFn, JsonOf } from './json-of.ts';
import { guardedLogger, type Logger } from './logger.ts';
import { notAwaitedYet } from './run/not-awaited-yet.ts';
import { ResultListener } from './run/result-listener.ts';
import type { RunOptions } from './run/run-options.ts';
import type { WorkflowRunRef } from './run/run-ref.ts';
import type { RunTarget } from './run/run-target.ts';
import { RunsClient } from './run/runs-client.ts';
import { runnerLevel } from './isolation/in-runner/runner-port.ts';
import { unreachableConfig } from './config/unreachable-config.ts';
import { RunStarter } from './run/run-starter.ts';
import type { StandardSchema } from './schema/standard-schema.ts';
import { Worker } from './worker/worker.ts';
import type { WorkerOptions } from './worker/worker-options.ts';
import type { Starts } from './workflow/starts.ts';
import { declareBatchTask, declareDurableTask, declareTask, type TaskDeclaration } from './workflow/task.ts';
import { declareWorkflow, type WorkflowDeclaration } from './workflow/workflow.ts';

/**
 * The way into the SDK: declares tasks and workflows, runs them, and makes workers. It connects at its first call.
 *
 * ```ts
 * const hatchet = Hatchet.init();
 * const greet = hatchet.task({ name: 'greet', fn: (input: { name: string }) => ({ text: `Hello, ${input.name}` }) });
 * const { text } = await greet.run({ name: 'Ada' });
 * ```
 */
export class HatchetClient<M extends Added = NothingAdded> {
  /** Reads runs and acts on them. */
  readonly runs: RunsClient;
  /** Pushes events, and reads them. */
  readonly events: EventsClient;
  /** Declares rate limits. */
  readonly ratelimits: RateLimitsClient;
  /** Runs that come again and again. */
  readonly crons: CronsClient;
  /** Runs at a time. */
  readonly scheduled: ScheduledClient;
  /** Which events start a workflow. */
  readonly filters: FiltersClient;
  /** Addresses to which others post events. */
  readonly webhooks: WebhooksClient;
  /** What is registered; pausing. */
  readonly workflows: WorkflowsClient;
  /** Who runs tasks; pausing. */
  readonly workers: WorkersClient;
  /** Who changed what. */
  readonly audit: AuditClient;
  readonly logger: Logger;
  readonly #connection: Connection;
  readonly #results: ResultListener;
  readonly #runner: RunStarter;

  readonly #layers: readonly Layer[];

  private constructor({
    connection,
    logger,
    results,
    layers,
  }: {
    connection: Connection;
    logger: Logger;
    results: ResultListener;
    layers: readonly Layer[];
  }) {
    this.logger = logger;
    this.#connection = connection;
    this.#results = results;
    this.#layers = layers;
    this.#runner = new RunStarter(this.#connection, this.#results, this.logger);
    this.runs = new RunsClient(this.#connection, this.#runner);
    this.events = new EventsClient(this.#connection);
    this.ratelimits = new RateLimitsClient(this.#connection);
    this.crons = new CronsClient(this.#connection);
    this.scheduled = new ScheduledClient(this.#connection);
    this.filters = new FiltersClient(this.#connection);
    this.webhooks = new WebhooksClient(this.#connection);
    this.workflows = new WorkflowsClient(this.#connection);
    this.workers = new WorkersClient(this.#connection);
    this.audit = new AuditClient(this.#connection);
  }

  /**
   * Makes a client. Each setting comes from the options, else HATCHET_CLIENT_*, else the token's claims, else the
   * nearest `.hatchet` folder of a local engine.
   * @throws HatchetError NOT_CONFIGURED where no token is found, or it names no tenant or address
   */
  static init(options: ClientOptions = {}): HatchetClient {
    const config =
      runnerLevel() === 'sandbox'
        ? unreachableConfig(options)
        : resolveConfig(options, process.env, () => findLocalEngine(process.cwd()));
    const logger = guardedLogger(config.logger('Hatchet', config.logLevel));
    const connection = new Connection(config);
    return new HatchetClient({ connection, logger, results: new ResultListener(connection, logger), layers: [] });
  }

  /**
   * A client over the same connections, with middleware around the functions of all tasks that it declares. What `before` gives is
   * added to the input of the function, what `after` gives to its output, with their types; a client may have several.
   * Closing one closes both.
   * @throws HatchetError INVALID_DEFINITION for a hook that is no function
   */
  withMiddleware<const Middleware extends TaskMiddleware>(
    middleware: Middleware,
  ): HatchetClient<AddedBy<M, Middleware>> {
    return new HatchetClient<AddedBy<M, Middleware>>({
      connection: this.#connection,
      logger: this.logger,
      results: this.#results,
      layers: [...this.#layers, toLayer(middleware)],
    });
  }

  /** Same as `scheduled`. */
  get schedules(): ScheduledClient {
    return this.scheduled;
  }

  get #starts(): Starts {
    return { runner: this.#runner, scheduled: this.scheduled, crons: this.crons };
  }

  get #origin(): Starts & { layers: readonly Layer[] } {
    return { ...this.#starts, layers: this.#layers };
  }

  /** The tenant that the token is for. */
  get tenantId(): string {
    return this.#connection.config.tenantId;
  }

  /** The settings in force. */
  get config(): ClientConfig {
    return this.#connection.config;
  }

  /** Declares a task whose output is checked by a schema at the worker. */
  task<Schema extends StandardSchema, Input = object, RawInput = Input>(
    options: CheckedTaskOptions<RawInput, Input, Schema, Extended<Input, M['before']>>,
  ): TaskDeclaration<Without<RawInput, M['before']>, CheckedOutput<Schema>>;
  /**
   * Declares a task that stands alone. Its types come from `fn` and the schemas, or are given: `task<Input, Output>`.
   * A worker that has it in its `workflows` runs it; any program with the declaration can start it.
   */
  task<Input = object, Output = void, RawInput = Input>(
    options: TaskOptions<RawInput, Input, Output, Extended<Input, M['before']>> & CarriableFn<Output>,
  ): TaskDeclaration<Without<RawInput, M['before']>, JsonOf<ExtendedOutput<Output, M['after']>>>;
  task<Input, Output, RawInput>(
    options: TaskOptions<RawInput, Input, Output, Extended<Input, M['before']>> & {
      output?: StandardSchema<unknown, Output> | undefined;
    },
  ): TaskDeclaration<Without<RawInput, M['before']>, Output> {
    return declareTask<RawInput, Input, Extended<Input, M['before']>, Output, Without<RawInput, M['before']>, Output>(
      options,
      this.#origin,
    );
  }

  /** Declares a durable task whose output is checked by a schema at the worker. */
  durableTask<Schema extends StandardSchema, Input = object, RawInput = Input>(
    options: CheckedDurableTaskOptions<RawInput, Input, Schema, Extended<Input, M['durableBefore']>>,
  ): TaskDeclaration<Without<RawInput, M['durableBefore']>, CheckedOutput<Schema>>;
  /**
   * Declares a durable task: its waits, children and memos are recorded, so that it goes on where it was after whatever
   * ends its worker, and holds no slot while it waits for long. Its function must be deterministic: see the guide.
   */
  durableTask<Input = object, Output = void, RawInput = Input>(
    options: DurableTaskOptions<RawInput, Input, Output, Extended<Input, M['durableBefore']>> & CarriableFn<Output>,
  ): TaskDeclaration<Without<RawInput, M['durableBefore']>, JsonOf<ExtendedOutput<Output, M['durableAfter']>>>;
  durableTask<Input, Output, RawInput>(
    options: DurableTaskOptions<RawInput, Input, Output, Extended<Input, M['durableBefore']>> & {
      output?: StandardSchema<unknown, Output> | undefined;
    },
  ): TaskDeclaration<Without<RawInput, M['durableBefore']>, Output> {
    return declareDurableTask<
      RawInput,
      Input,
      Extended<Input, M['durableBefore']>,
      Output,
      Without<RawInput, M['durableBefore']>,
      Output
    >(options, this.#origin);
  }

  /** Declares a batch task that gives one output for all runs of a batch. */
  batchTask<Input = object, Output = void, RawInput = Input>(
    options: BroadcastTaskOptions<RawInput, Input, Output, Extended<Input, M['before']>> & CarriableFn<Output>,
  ): TaskDeclaration<Without<RawInput, M['before']>, JsonOf<ExtendedOutput<Output, M['after']>>>;
  /**
   * Declares a task whose runs are gathered and handed to its function together: it gets their inputs by the runs' ids, and
   * gives an output for each. Callers see nothing of it: a run's output is its own.
   */
  batchTask<Input = object, Output = void, RawInput = Input>(
    options: BatchTaskOptions<RawInput, Input, Output, Extended<Input, M['before']>> & CarriableBatchFn<Output>,
  ): TaskDeclaration<Without<RawInput, M['before']>, JsonOf<ExtendedOutput<Output, M['after']>>>;
  batchTask<Input, Output, RawInput>(
    options:
      | BatchTaskOptions<RawInput, Input, Output, Extended<Input, M['before']>>
      | BroadcastTaskOptions<RawInput, Input, Output, Extended<Input, M['before']>>,
  ): TaskDeclaration<Without<RawInput, M['before']>, Output> {
    return declareBatchTask<RawInput, Input, Extended<Input, M['before']>, Output, Without<RawInput, M['before']>>(
      options,
      this.#origin,
    );
  }

  /**
   * Declares a workflow; add tasks with its `task`. With `workflow<Input, Output>` the output's type says what each task
   * gives, by name: `{ first: { n: number } }`.
   */
  workflow<Input = object, Output = object, RawInput = Input>(
    options: WorkflowOptions<RawInput, Input>,
  ): WorkflowDeclaration<RawInput, JsonOf<Output>, Input, Output, M> {
    return declareWorkflow<RawInput, Input, JsonOf<Output>, Output, M>(options, this.#starts, this.#layers);
  }

  /**
   * Declares the key of an event with the type of its payload: `hatchet.event<{ id: string }>('order:paid')`. It stands wherever a key
   * does: in `onEvents`, `hatchet.events.push`, conditions and `ctx.waitForEvent`.
   * @param options.schema gives the type, and checks payloads where they are pushed and waited for. Any Standard Schema
   */
  event<Pushed extends object = object>(key: string, options?: { schema?: undefined }): EventDeclaration<Pushed>;
  event<Pushed, Received>(
    key: string,
    options: { schema: StandardSchema<Pushed, Received> },
  ): EventDeclaration<Pushed, Received>;
  event<Pushed, Received>(
    key: string,
    options: { schema?: StandardSchema<Pushed, Received> | undefined } = {},
  ): EventDeclaration<Pushed, Received> {
    return declareEvent<Pushed, Received>(key, options.schema);
  }

  /**
   * Makes a worker and registers its workflows at the engine. Start it with `start()`.
   * @param options or the number of slots
   * @throws as Worker.registerWorkflows
   */
  async worker(name: string, options: WorkerOptions | number = {}): Promise<Worker> {
    const settings = typeof options === 'number' ? { slots: options } : options;
    const worker = new Worker(name, this.#connection, this.#runner, settings);
    await worker.registerWorkflows(settings.workflows);
    return worker;
  }

  /** Runs a task or workflow, by its declaration or its name, and waits for the output. By name it is `{task: output}`, but inside a durable task a workflow of one task gives that task's own output. @throws as its own `run` */
  run<Input, Output = unknown>(
    workflow: RunTarget<Input, Output> | string,
    input: NoInfer<Input>,
    options?: RunOptions,
  ): Promise<Output> {
    return notAwaitedYet(this.#runner.run({ target: workflow, input, options }));
  }

  /** Same as `run`. */
  runAndWait<Input, Output = unknown>(
    workflow: RunTarget<Input, Output> | string,
    input: NoInfer<Input>,
    options?: RunOptions,
  ): Promise<Output> {
    return this.run(workflow, input, options);
  }

  /** Starts a task or workflow, by its declaration or its name. @throws as its own `runNoWait` */
  runNoWait<Input, Output = unknown>(
    workflow: RunTarget<Input, Output> | string,
    input: NoInfer<Input>,
    options?: RunOptions,
  ): Promise<WorkflowRunRef<Output>> {
    return notAwaitedYet(this.#runner.start({ target: workflow, input, options }));
  }

  /** A reference to a run that exists; its result is `{task: output}`. */
  runRef<Output = unknown>(id: string): WorkflowRunRef<Output> {
    return this.#runner.ref<Output>(id);
  }

  /** Closes its connections; open waits for results are rejected. A program that is done need not call it. */
  close(): void {
    this.#results.stop();
    this.#connection.close();
  }
}
