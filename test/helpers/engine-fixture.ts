import { spawn, type ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import type { EngineOptions, RunningEngine } from '../../engine/index.ts';
import { Hatchet, type Worker, type WorkerOptions } from '../../sdk/index.ts';
import { DatabaseFixture } from './database-fixture.ts';
import { ended, packageRoot, type EngineChild } from './engine-process.ts';
import { GrpcClients } from './grpc-client.ts';
import { makeTempFolder } from './temp-folder.ts';
import { quiet } from './quiet-logger.ts';
import { spawnInTopology, startInTopology } from './topology.ts';

/** How an engine comes and goes. */
interface Mode<Engine> {
  start(options: EngineOptions): Promise<Engine>;
  stop(engine: Engine): Promise<void>;
  /** Resolves once it is gone, whoever ended it. */
  ended(engine: Engine): Promise<void>;
  /** Where it serves, and its own token. */
  served(engine: Engine): Pick<RunningEngine, 'grpc' | 'http' | 'token'>;
}

const inThisProcess: Mode<RunningEngine> = {
  start: (options) => startInTopology({ logLevel: 'silent', ...options }),
  stop: (engine) => engine.stop(),
  ended: (engine) => engine.stop(),
  served: (engine) => engine,
};

const asProcess = (nodeArguments: readonly string[]): Mode<EngineChild> => ({
  start: (options) => spawnInTopology({ logLevel: 'warn', ...options }, nodeArguments),
  stop: (engine) => engine.end('SIGTERM'),
  ended: (engine) => engine.gone(),
  served: ({ ready }) => ready,
});

/** An engine in a folder of its own, and what most tests talk to it with: made when first asked for. */
class EngineFixture<Engine> {
  /** There from the start, and removed with all that is in it. */
  readonly folder: string;
  /** Neither it nor the folder above it is there before an engine makes them. */
  readonly dataDir: string;
  readonly #mode: Mode<Engine>;
  readonly #options: EngineOptions;
  readonly #database: DatabaseFixture | undefined;
  readonly #workers: { worker: Worker; running: Promise<void> }[] = [];
  readonly #programs: ChildProcess[] = [];
  #engine: Engine | undefined;
  #clients: GrpcClients | undefined;
  #hatchet: Hatchet | undefined;

  /** @param database without one the engine starts a Postgres of its own */
  constructor(name: string, mode: Mode<Engine>, options: EngineOptions, database: DatabaseFixture | undefined) {
    this.folder = makeTempFolder(name);
    this.dataDir = join(this.folder, 'engine', 'data');
    this.#mode = mode;
    this.#options = options;
    this.#database = database;
  }

  get database(): DatabaseFixture {
    if (this.#database === undefined) throw new Error('the database is in the Postgres that the engine has started');
    return this.#database;
  }

  get engine(): Engine {
    if (this.#engine === undefined) throw new Error('the fixture has not started yet: use it in hooks and tests');
    return this.#engine;
  }

  /** By the engine's own token, as all below. */
  get token(): string {
    return this.#mode.served(this.engine).token;
  }

  /** Calls without an SDK. */
  get clients(): GrpcClients {
    return (this.#clients ??= new GrpcClients(this.#mode.served(this.engine).grpc, this.token));
  }

  get hatchet(): Hatchet {
    return (this.#hatchet ??= Hatchet.init({ token: this.token, logger: () => quiet }));
  }

  /** What a worker's or a command's process needs to find the engine, with what it says kept to errors. */
  get env(): Record<string, string> {
    return {
      HATCHET_CLIENT_TOKEN: this.token,
      HATCHET_CLIENT_TLS_STRATEGY: 'none',
      HATCHET_CLIENT_LOG_LEVEL: 'ERROR',
    };
  }

  /** A worker in this process until the fixture stops, once it is ready. */
  async serve(name: string, options: WorkerOptions): Promise<Worker> {
    const worker = await this.hatchet.worker(name, { handleKill: false, ...options });
    this.#workers.push({ worker, running: worker.start() });
    await worker.waitUntilReady();
    return worker;
  }

  /**
   * A process of its own until the fixture stops, which sends it SIGTERM and waits for its end.
   * @param file in test/fixtures
   */
  spawn(file: string, ...args: readonly string[]): ChildProcess {
    const program = spawn(process.execPath, [join(packageRoot, 'test/fixtures', file), ...args], {
      cwd: packageRoot,
      stdio: 'ignore',
      env: { ...process.env, ...this.env },
    });
    this.#programs.push(program);
    return program;
  }

  async start(): Promise<void> {
    await this.#database?.start();
    this.#engine = await this.#startEngine({ grpcPort: 0, httpPort: 0 });
  }

  /** On the same ports, once a test has stopped it, or it has ended as the test told it to: `clients` and `hatchet` find it again. */
  async startAgain(): Promise<void> {
    const { grpc, http } = this.#mode.served(this.engine);
    await this.#mode.ended(this.engine);
    this.#engine = await this.#startEngine({ grpcPort: grpc.port, httpPort: http.port });
  }

  #startEngine(ports: EngineOptions): Promise<Engine> {
    const database = this.#database === undefined ? {} : { databaseUrl: this.#database.url };
    return this.#mode.start({ dataDir: this.dataDir, ...database, ...ports, ...this.#options });
  }

  /** Also after a start that failed halfway: of what there is nothing is left. */
  async stop(): Promise<void> {
    try {
      for (const program of this.#programs) program.kill('SIGTERM');
      await Promise.all(this.#programs.map(ended));
      await Promise.all(this.#workers.map(({ worker, running }) => worker.stop().then(() => running)));
      this.#clients?.close();
      this.#hatchet?.close();
      await this.#database?.disconnect(); // a transaction of a test that failed would hold up the engine's stop
      if (this.#engine !== undefined) await this.#mode.stop(this.#engine);
      await this.#database?.stop();
    } finally {
      rmSync(this.folder, { recursive: true, force: true });
    }
  }
}

export type { EngineFixture };

/** Of which the caller says when it starts and stops. */
export function makeEngine(name: string, options: EngineOptions = {}): EngineFixture<RunningEngine> {
  return new EngineFixture(name, inThisProcess, options, new DatabaseFixture({}));
}

function untilAllAreDone<Engine>(fixture: EngineFixture<Engine>): EngineFixture<Engine> {
  beforeAll(() => fixture.start());
  afterAll(() => fixture.stop());
  return fixture;
}

/**
 * An engine in this process, for the tests of the file or the `describe` that calls it, on a database of the run's Postgres.
 * It starts before what is prepared below the call, and stops after what is cleaned up there.
 */
export function engineFixture(name: string, options: EngineOptions = {}): EngineFixture<RunningEngine> {
  return untilAllAreDone(makeEngine(name, options));
}

/** As `engineFixture`, for the test that calls it. */
export async function engineForTest(name: string, options: EngineOptions = {}): Promise<EngineFixture<RunningEngine>> {
  const fixture = makeEngine(name, options);
  onTestFinished(() => fixture.stop());
  await fixture.start();
  return fixture;
}

interface Launch {
  /** Whether the engine starts a Postgres of its own, as a developer's does, or has a database in the run's. Default `own`. */
  postgres?: 'own' | 'shared';
  /** For the runtime, before the program. */
  nodeArguments?: readonly string[];
}

/** As `engineFixture`, with the built engine as a process of its own, that can be killed. */
export function engineProcessFixture(
  name: string,
  options: EngineOptions = {},
  { postgres = 'own', nodeArguments = [] }: Launch = {},
): EngineFixture<EngineChild> {
  const database = postgres === 'own' ? undefined : new DatabaseFixture({});
  return untilAllAreDone(new EngineFixture(name, asProcess(nodeArguments), options, database));
}
