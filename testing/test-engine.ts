import type { RunningEngine } from '../engine/index.ts';
import { HatchetClient } from '../sdk/client.ts';
import { addMovableClock, type MovableClock } from '../sdk/config/movable-clock.ts';
import type { EventDeclaration } from '../sdk/definition/event.ts';
import type { PushedEvent, PushEventOptions } from '../sdk/features/events-client.ts';
import type { LogLevel } from '../sdk/logger.ts';
import type { WorkflowRunRef } from '../sdk/run/run-ref.ts';
import type { Worker } from '../sdk/worker/worker.ts';
import type { WorkerOptions } from '../sdk/worker/worker-options.ts';
import type { Runnable } from '../sdk/workflow/declaration.ts';
import { setEnvironment } from './environment.ts';
import { leasePostgres } from './postgres-lease.ts';
import { RunResults, type ByName, type TestRun } from './run-results.ts';
import { durationToMs, type Duration } from '../sdk/duration.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface TestEngineOptions {
  /** What the clock shows at the start. @default the present */
  now?: Date | undefined;
  /** How long `results`, `waitForRun` and `worker` wait, in real time. @default '4s', less than most test runners' own limit */
  timeout?: Duration | undefined;
  /** Of the engine, the client and the workers; to stderr. @default 'ERROR' */
  logLevel?: LogLevel | undefined;
  /**
   * Whether HATCHET_CLIENT_TOKEN, _HOST_PORT, _API_URL and _TLS_STRATEGY of this process name the engine until it stops:
   * `Hatchet.init()` in modules that are imported from here on then finds it, and nothing else. @default true
   */
  setEnvironment?: boolean | undefined;
}

export interface WaitOptions {
  /** Real time. @default the engine's `timeout` */
  timeout?: Duration | undefined;
}

/** What was begun, to be ended in the opposite order. */
type Stops = (() => Promise<void> | void)[];

const engineLevels = { OFF: 'silent', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;
/** A task that a test has left hanging does not hold up its stop. */
const workerGraceMs = 500;

/**
 * Starts an engine for a test: the real one, in this process, on ports of its own, on a database of its own. The first
 * starts a Postgres as well, which all test processes share; the last that stops ends it.
 * @throws TestingError NO_POSTGRES, INVALID_TIME
 */
export async function createTestEngine(options: TestEngineOptions = {}): Promise<TestEngine> {
  const logLevel = options.logLevel ?? 'ERROR';
  const timeoutMs = durationToMs(options.timeout ?? '4s');
  const clock = new VirtualClock(options.now);
  const stops: Stops = [];
  try {
    const lease = await leasePostgres('database');
    stops.push(() => lease.release());
    if (lease.database === null) throw new Error('a lease of a database came without one');
    const { url, folder } = lease.database;
    const { startEngine } = await import('../engine/index.ts');
    const engine = await startEngine({
      databaseUrl: url,
      dataDir: folder,
      grpcPort: 0,
      httpPort: 0,
      logLevel: engineLevels[logLevel],
      clock,
    });
    stops.push(() => engine.stop());
    stops.push(() => clock.drive(undefined));
    const address = {
      token: engine.token,
      hostPort: `${engine.grpc.host}:${engine.grpc.port}`,
      apiUrl: `http://${engine.http.host}:${engine.http.port}`,
    };
    const inside: MovableClock = { now: () => clock.now(), workers: new Set() };
    stops.push(addMovableClock(address.hostPort, inside));
    const hatchet = HatchetClient.init({ ...address, tlsConfig: { strategy: 'none' }, logLevel });
    stops.push(() => hatchet.close());
    if (options.setEnvironment !== false)
      stops.push(
        setEnvironment({
          HATCHET_CLIENT_TOKEN: address.token,
          HATCHET_CLIENT_HOST_PORT: address.hostPort,
          HATCHET_CLIENT_API_URL: address.apiUrl,
          HATCHET_CLIENT_TLS_STRATEGY: 'none',
        }),
      );
    stops.push(async () => void (await Promise.all([...inside.workers].map((worker) => worker.stop()))));
    clock.drive(
      engine.time,
      async (ms) => void (await Promise.all([...inside.workers].map((worker) => worker.passTime(ms)))),
    );
    return new TestEngine({ engine, hatchet, clock, timeoutMs, stops });
  } catch (error) {
    await stopAll(stops);
    throw error;
  }
}

/** A real engine for tests. Made by `createTestEngine`. */
export class TestEngine {
  /** A client of this engine. */
  readonly hatchet: HatchetClient;
  /** The engine's time. */
  readonly clock: VirtualClock;
  readonly #engine: RunningEngine;
  readonly #results: RunResults;
  readonly #timeoutMs: number;
  readonly #stops: Stops;
  #stopping: Promise<void> | undefined;

  constructor(parts: {
    engine: RunningEngine;
    hatchet: HatchetClient;
    clock: VirtualClock;
    timeoutMs: number;
    stops: Stops;
  }) {
    this.hatchet = parts.hatchet;
    this.clock = parts.clock;
    this.#engine = parts.engine;
    this.#results = new RunResults(parts.hatchet, parts.engine.time);
    this.#timeoutMs = parts.timeoutMs;
    this.#stops = parts.stops;
  }

  /** A token for the engine's one tenant. */
  get token(): string {
    return this.#engine.token;
  }

  /** `host:port` of the gRPC endpoint. */
  get hostPort(): string {
    return this.hatchet.config.hostPort;
  }

  /** Base URL of the REST API. */
  get apiUrl(): string {
    return this.hatchet.config.apiUrl;
  }

  /** Its database, password included. */
  get databaseUrl(): string {
    return this.#engine.databaseUrl;
  }

  /**
   * Starts a worker with tasks and workflows, by whatever client they were declared; resolves once it takes tasks. It ends
   * with the engine, or by its own `stop`.
   * @throws as `hatchet.worker`; TestingError NOT_IN_TIME
   */
  async worker(
    workflows: readonly Runnable[],
    options: Omit<WorkerOptions, 'workflows' | 'handleKill'> & { name?: string | undefined } = {},
  ): Promise<Worker> {
    const { name = 'test', ...settings } = options;
    const worker = await this.hatchet.worker(name, {
      shutdownGracePeriod: workerGraceMs,
      ...settings,
      workflows,
      handleKill: false,
    });
    const ended = worker.start();
    // What ends it early is waited for below, or is the worker's own to tell.
    ended.catch(() => undefined);
    await Promise.race([worker.waitUntilReady(this.#timeoutMs), ended]);
    await this.#results.until(this.#timeoutMs, {
      read: async () => (await this.hatchet.workers.get(worker.workerId ?? '')).status,
      isEnough: (status) => status === 'ACTIVE',
      missing: (status) => `the worker ${name}, which is ${status}`,
    });
    return worker;
  }

  /** Pushes an event; resolves once what it started or woke has ended, or waits. @throws HatchetError INVALID_ARGUMENT, PAYLOAD_TOO_LARGE */
  async push<Pushed>(
    event: EventDeclaration<Pushed, unknown>,
    payload: NoInfer<Pushed>,
    options?: PushEventOptions,
  ): Promise<PushedEvent>;
  async push(key: string, payload?: object, options?: PushEventOptions): Promise<PushedEvent>;
  async push(
    key: string | EventDeclaration<unknown, unknown>,
    payload: unknown = {},
    options: PushEventOptions = {},
  ): Promise<PushedEvent> {
    const event = await (typeof key === 'string'
      ? this.hatchet.events.push(key, Object(payload), options)
      : this.hatchet.events.push(key, payload, options));
    await this.settled();
    return event;
  }

  /**
   * How the runs of a workflow ended, oldest first, once at least `count` have.
   * @param options.count @default 1
   * @throws TestingError NOT_IN_TIME; HatchetError UNKNOWN_WORKFLOW
   */
  async results<Output = unknown>(
    workflow: ByName<Output>,
    options: WaitOptions & { count?: number | undefined } = {},
  ): Promise<TestRun<Output>[]> {
    return await this.#results.ofWorkflow(workflow, { count: options.count ?? 1, timeoutMs: this.#wait(options) });
  }

  /** How a run ended, once it has. @throws TestingError NOT_IN_TIME; HatchetError UNKNOWN_RUN */
  async waitForRun<Output = unknown>(
    run: WorkflowRunRef<Output> | string,
    options: WaitOptions = {},
  ): Promise<TestRun<Output>> {
    return await this.#results.ofRun<Output>(typeof run === 'string' ? run : run.workflowRunId, this.#wait(options));
  }

  /** Resolves once nothing goes on by itself any more: every running task has ended, waits, or has been quiet for `patience`. */
  async settled(options: { patience?: Duration | undefined } = {}): Promise<void> {
    await this.#engine.time.quiet({ patienceMs: durationToMs(options.patience ?? '1s') });
  }

  /** Ends its workers of this process, the engine and its database; with the last engine of all test processes, Postgres. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping ??= stopAll(this.#stops);
    await this.#stopping;
  }

  #wait({ timeout }: WaitOptions): number {
    return timeout === undefined ? this.#timeoutMs : durationToMs(timeout);
  }
}

/** Each is stopped, whatever becomes of the others. */
async function stopAll(stops: Stops): Promise<void> {
  const failures: unknown[] = [];
  for (const stop of stops.splice(0).reverse()) {
    try {
      await stop();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
