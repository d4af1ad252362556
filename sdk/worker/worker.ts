import { applyNamespace } from '../config/client-config.ts';
import { movableClockOf } from '../config/movable-clock.ts';
import { toHatchetError } from '../connection/call-error.ts';
import { pause } from '../../link/backoff.ts';
import type { Connection } from '../connection/connection.ts';
import { callRest } from '../connection/rest.ts';
import { callUnary, repeatForMs } from '../connection/repeat-calls.ts';
import type { WorkerLabels } from '../context/context-host.ts';
import { checkBeyondContract } from '../definition/lost-on-cluster.ts';
import { actionId, allSteps, executionTimeout, toRegistration, wireName } from '../definition/registration.ts';
import { captureConsole } from '../console-capture.ts';
import { durationToMs } from '../duration.ts';
import { HatchetError } from '../errors.ts';
import { guardedLogger, type Logger } from '../logger.ts';
import { labelValue, type LabelValue } from '../run/label-value.ts';
import type { RunStarter } from '../run/run-starter.ts';
import { inputJsonSchema } from '../schema/json-schema.ts';
import { IsolatedTasks } from '../isolation/attempts/isolated-tasks.ts';
import { heldInRunner, runnerPort } from '../isolation/in-runner/runner-port.ts';
import type { Runnable } from '../workflow/declaration.ts';
import type { Action } from './action.ts';
import { checkRunnables } from './check-runnable.ts';
import { showHealth, type WorkerHealth } from './health-port.ts';
import { Heartbeat } from './heartbeat.ts';
import { onKillSignals } from './kill-signals.ts';
import { ReadySignal } from './ready-signal.ts';
import { Session, type Registration } from './session.ts';
import { TaskRunner } from './task-runner.ts';
import { watchProcess } from './watch-process.ts';
import type { WorkerOptions } from './worker-options.ts';

/** What the stop of a worker says to the engine is a courtesy: it waits for an answer no longer than this. */
const farewellMs = 2_000;

/** Durable tasks at once, unless `durableSlots` says otherwise. */
const usualDurableSlots = 1_000;

/** What a worker has from a start to the stop or the failure that ends it. */
interface Shift {
  readonly session: Session;
  readonly heartbeat: Heartbeat;
  readonly tasks: TaskRunner;
  readonly isolated: IsolatedTasks;
}

/** Runs tasks. Made by `hatchet.worker`. */
export class Worker {
  readonly name: string;
  readonly #connection: Connection;
  readonly #runner: RunStarter;
  readonly #options: WorkerOptions;
  readonly #logger: Logger;
  readonly #actions = new Map<string, Action>();
  readonly #workflows = new Set<string>();
  #ready = new ReadySignal();
  #labels: WorkerLabels;
  /** Where it does not run: the last one. */
  #shift: Shift;
  #hasRun = false;
  /** Both only while it runs. */
  #running: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(name: string, connection: Connection, runner: RunStarter, options: WorkerOptions) {
    const { config } = connection;
    this.name = applyNamespace(name, config.namespace);
    this.#connection = connection;
    this.#options = options;
    wireLabels(options.labels ?? {}); // refused here, and not while it connects
    this.#labels = { ...options.labels };
    this.#logger = guardedLogger(config.logger(`Worker/${this.name}`, config.logLevel));
    this.#runner = runner;
    this.#shift = this.#newShift();
  }

  /** The id that the engine gave it; `undefined` until it is registered. */
  get workerId(): string | undefined {
    return this.#shift.session.workerId;
  }

  /**
   * Registers tasks and workflows at the engine, and offers to run them once started.
   * @throws HatchetError INVALID_DEFINITION, INVALID_DURATION, INVALID_ARGUMENT, UNAUTHENTICATED, UNREACHABLE after 30 s
   */
  async registerWorkflows(workflows: readonly Runnable[] = []): Promise<void> {
    checkRunnables(this.name, workflows);
    if (runnerPort() !== undefined) return; // its tasks are served as they are declared
    for (const { definition } of workflows) await this.#register(definition);
  }

  /** Same as `registerWorkflows` for one. */
  async registerWorkflow(workflow: Runnable): Promise<void> {
    await this.registerWorkflows([workflow]);
  }

  /**
   * Runs until it is stopped; resolves then. A worker that was stopped, or could not start, can be started again: it is a new
   * one to the engine. Starting one that runs waits for its end like the first call.
   * @throws HatchetError ISOLATION_UNAVAILABLE where this machine cannot keep apart what has `isolation`; UNAUTHENTICATED, UNREACHABLE where the engine cannot be reached for 30 s at the start;
   * once it runs it goes on through every absence of the engine
   */
  async start(): Promise<void> {
    await heldInRunner('worker.start()');
    if (this.#stopping !== undefined) await this.#running?.catch(() => undefined);
    this.#running ??= this.#begin();
    await this.#running;
  }

  /** Takes no more tasks, lets the running ones finish and report (up to `shutdownGracePeriod`), and leaves. One that does not run is left as it is. */
  async stop(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    this.#stopping ??= this.#stop(this.#shift);
    await this.#stopping;
    await running.catch(() => undefined); // `start` tells of it
  }

  /** Resolves once it is registered. @param timeoutMs @default 10000 @throws HatchetError WORKER_NOT_READY */
  async waitUntilReady(timeoutMs = 10_000): Promise<void> {
    await heldInRunner('worker.waitUntilReady()');
    const late = new AbortController();
    try {
      await Promise.race([
        this.#ready.promise,
        pause(timeoutMs, late.signal).then(() => {
          throw new HatchetError('WORKER_NOT_READY', `the worker ${this.name} was not ready after ${timeoutMs} ms`);
        }),
      ]);
    } finally {
      late.abort();
    }
  }

  /** For whoever moves the clock of an engine, before so much time passes: durable tasks that would leave meanwhile leave. */
  async passTime(ms: number): Promise<void> {
    await this.#shift.tasks.durable.pass(ms, farewellMs);
  }

  getLabels(): WorkerLabels {
    return { ...this.#labels };
  }

  /** Adds or changes labels. @throws HatchetError */
  async upsertLabels(labels: WorkerLabels): Promise<WorkerLabels> {
    const wire = wireLabels(labels);
    this.#labels = { ...this.#labels, ...labels };
    const { workerId } = this;
    if (workerId !== undefined) {
      const { dispatcher } = this.#connection;
      try {
        await callUnary(
          this.#connection,
          dispatcher.upsertWorkerLabels.bind(dispatcher),
          { workerId, labels: wire },
          { repeatForMs },
        );
      } catch (error) {
        throw toHatchetError(error, 'change the labels');
      }
    }
    return this.getLabels();
  }

  /** Keeps new tasks away until `unpause`. @throws HatchetError */
  async pause(): Promise<void> {
    await this.#setPaused(true);
  }

  /** @throws HatchetError */
  async unpause(): Promise<void> {
    await this.#setPaused(false);
  }

  async #register(definition: Runnable['definition']): Promise<void> {
    const { namespace } = this.#connection.config;
    const { admin } = this.#connection;
    const schema = definition.inputSchema === undefined ? undefined : await inputJsonSchema(definition.inputSchema);
    const request = toRegistration(definition, namespace, schema);
    await checkBeyondContract(this.#connection, request);
    let versionId: string;
    try {
      ({ id: versionId } = await callUnary(this.#connection, admin.putWorkflow.bind(admin), request, { repeatForMs }));
    } catch (error) {
      throw toHatchetError(error, `register the workflow ${request.name}`);
    }
    const name = wireName(definition, namespace);
    this.#workflows.add(name);
    const { onFailure, inputSchema, taskDefaults, name: workflowName } = definition;
    for (const { name: step, body, batch, durable, settings, outputSchema, isolation } of [
      ...allSteps(definition),
      ...(onFailure === undefined ? [] : [onFailure]),
    ]) {
      if (batch?.body !== undefined)
        this.#actions.set(actionId(name, step), {
          batch: { config: batch.config, body: batch.body, layers: batch.layers },
          workflowName,
          inputSchema,
          outputSchema,
        });
      else if (durable?.body !== undefined)
        this.#actions.set(actionId(name, step), {
          durable: {
            body: durable.body,
            evictionPolicy: durable.evictionPolicy,
            executionTimeoutMs: durationToMs(executionTimeout(settings, taskDefaults)),
            versionId,
            standsFor: allSteps(definition).length === 1 && onFailure === undefined ? workflowName : undefined,
          },
          workflowName,
          inputSchema,
          outputSchema,
        });
      else if (body !== undefined)
        this.#actions.set(actionId(name, step), { body, workflowName, inputSchema, outputSchema, isolation });
    }
  }

  #newShift(): Shift {
    const connection = this.#connection;
    const heartbeat = new Heartbeat(connection, { onUnknownWorker: (id) => session.forget(id) });
    const session = new Session(connection, this.#logger, {
      onRegistered: (id) => this.#registered(id),
      onAction: (action) => tasks.handle(action),
    });
    const isolated = new IsolatedTasks(runnerPort() === undefined ? (this.#options.isolation ?? {}) : {}, this.#logger); // in a runner, which has not all that the program has, no worker runs;
    const tasks = new TaskRunner({
      isolated,
      workflows: () => [...this.#workflows],
      connection,
      logger: this.#logger,
      workerName: this.name,
      capturesConsole: this.#capturesConsole(),
      findAction: (id) => this.#actions.get(id),
      view: {
        runner: this.#runner,
        workerId: () => session.workerId,
        hasWorkflow: (workflow) =>
          this.#workflows.has(applyNamespace(workflow, connection.config.namespace).toLowerCase()),
        labels: () => this.getLabels(),
        upsertLabels: async (labels) => await this.upsertLabels(labels),
      },
    });
    return { session, heartbeat, tasks, isolated };
  }

  async #begin(): Promise<void> {
    if (this.#hasRun) this.#shift = this.#newShift();
    this.#hasRun = true;
    if (this.#ready.hasFailed) this.#ready = new ReadySignal();
    try {
      await this.#run(this.#shift);
    } finally {
      await this.#stopping;
      this.#running = this.#stopping = undefined;
    }
  }

  async #run({ session, heartbeat, tasks, isolated }: Shift): Promise<void> {
    if (this.#actions.size === 0) {
      await this.#logger.warn(
        'there is nothing to run: no task was registered with this worker. Give it `workflows` whose tasks have an `fn`',
      );
      return;
    }
    const clock = movableClockOf(this.#connection.config.hostPort);
    clock?.workers.add(this);
    const letGo = this.#capturesConsole() ? captureConsole() : () => {};
    const unwatch = watchProcess({ logger: this.#logger, underWay: () => tasks.attempts.labels() });
    const { healthcheck } = this.#connection.config;
    const hideHealth =
      healthcheck === undefined
        ? async () => {}
        : showHealth(healthcheck, this.#logger, () => this.#health({ session, tasks }));
    const forgetSignals = this.#options.handleKill === false ? () => {} : onKillSignals(async () => await this.stop());
    try {
      await isolated.prepare(
        [...this.#actions.values()].flatMap((action) => ('isolation' in action ? (action.isolation ?? []) : [])),
      );
      await session.run(() => this.#registration());
      await this.#stopping;
    } catch (error) {
      this.#ready.fail(error);
      throw error;
    } finally {
      forgetSignals();
      unwatch();
      letGo();
      clock?.workers.delete(this);
      await hideHealth();
      await isolated.stop();
      await heartbeat.stop();
    }
  }

  #health({ session, tasks }: Pick<Shift, 'session' | 'tasks'>): WorkerHealth {
    return {
      name: this.name,
      connected: session.isListening,
      slots: this.#options.slots ?? 100,
      running: tasks.attempts.size,
      actions: [...this.#actions.keys()],
      labels: this.getLabels(),
    };
  }

  #registration(): Registration {
    const { slots = 100 } = this.#options;
    const durableSlots = this.#durableSlots();
    return {
      workerName: this.name,
      actions: [...this.#actions.keys()],
      slotConfig: durableSlots === undefined ? { default: slots } : { default: slots, durable: durableSlots },
      labels: wireLabels({ ...this.#labels, ...this.#connection.config.workerPresetLabels }),
    };
  }

  #capturesConsole(): boolean {
    return this.#options.captureConsole ?? this.#connection.config.captureConsole;
  }

  /** Undefined where the worker offers no such slots. */
  #durableSlots(): number | undefined {
    const { durableSlots } = this.#options;
    return (
      durableSlots ??
      ([...this.#actions.values()].some((action) => 'durable' in action) ? usualDurableSlots : undefined)
    );
  }

  #registered(workerId: string): void {
    const { tasks, heartbeat } = this.#shift;
    const durableSlots = this.#durableSlots();
    if (durableSlots !== undefined) tasks.durable.serve(workerId, durableSlots);
    heartbeat.beatFor(workerId);
    if (this.#stopping === undefined) this.#ready.set();
    void this.#logger.info(
      `ready: ${this.#actions.size} ${this.#actions.size === 1 ? 'task' : 'tasks'}, ${this.#options.slots ?? 100} slots`,
    );
  }

  async #stop({ session, tasks, heartbeat }: Shift): Promise<void> {
    this.#ready = new ReadySignal(); // of the next start
    const { attempts } = tasks;
    await this.#logger.info(
      attempts.size === 0
        ? 'stopping'
        : `stopping: ${attempts.size} running ${attempts.size === 1 ? 'task' : 'tasks'} may finish`,
    );
    const { workerId } = session;
    if (workerId !== undefined) await this.#attempt('pause', this.#setPaused(true, farewellMs));
    await tasks.durable.leave(farewellMs);
    session.close();
    if (workerId !== undefined) {
      const { dispatcher } = this.#connection;
      await this.#attempt(
        'unsubscribe',
        callUnary(this.#connection, dispatcher.unsubscribe.bind(dispatcher), { workerId }, { timeoutMs: farewellMs }),
      );
    }
    await this.#drain(tasks);
    await tasks.durable.leave(farewellMs);
    await tasks.stop(farewellMs);
    await heartbeat.stop();
    await this.#logger.info('stopped');
  }

  async #drain({ attempts, durable }: TaskRunner): Promise<void> {
    const drained = new AbortController();
    const graceMs = durationToMs(this.#options.shutdownGracePeriod ?? '60s');
    await Promise.race([attempts.idle(), pause(graceMs, drained.signal)]);
    drained.abort();
    // Before the others are aborted: no catch and no finally of code that goes on elsewhere is to run here.
    durable.abandon();
    const left = attempts.abandon();
    if (left.length > 0)
      await this.#logger.warn(
        `${left.length} tasks did not finish within ${graceMs} ms and are left to other workers: ${left.slice(0, 5).join(', ')}`,
      );
  }

  async #setPaused(isPaused: boolean, timeoutMs = 15_000): Promise<void> {
    const { workerId } = this;
    if (workerId === undefined) return;
    await callRest(this.#connection.config, 'PATCH', `/api/v1/workers/${workerId}`, { body: { isPaused }, timeoutMs });
  }

  /** For what the engine need not have: it notices an absent worker by itself. */
  async #attempt(what: string, action: Promise<unknown>): Promise<void> {
    try {
      await action;
    } catch (error) {
      await this.#logger.debug(`${what}: ${String(error)}`);
    }
  }
}

/** @throws HatchetError INVALID_ARGUMENT */
function wireLabels(labels: WorkerLabels): Record<string, LabelValue> {
  return Object.fromEntries(
    Object.entries(labels).flatMap(([name, value]) => (value === undefined ? [] : [[name, labelValue(name, value)]])),
  );
}
