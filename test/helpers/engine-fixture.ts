import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Pool } from 'pg';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { startEngine, type EngineOptions, type RunningEngine } from '../../engine/index.ts';
import { Hatchet } from '../../sdk/index.ts';
import { GrpcClients } from './grpc-client.ts';
import { makeTempFolder } from './temp-folder.ts';
import { createTestDatabase, type TestDatabase } from './test-database.ts';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** An engine in this process on a database and in a folder of its own, and what most tests talk to it with: made when first asked for. */
class EngineFixture {
  /** There from the start, and removed with all that is in it. */
  readonly folder: string;
  readonly dataDir: string;
  readonly #options: EngineOptions;
  #database: TestDatabase | undefined;
  #engine: RunningEngine | undefined;
  #pool: Pool | undefined;
  #clients: GrpcClients | undefined;
  #hatchet: Hatchet | undefined;

  constructor(name: string, options: EngineOptions) {
    this.folder = makeTempFolder(name);
    this.dataDir = join(this.folder, 'data');
    this.#options = options;
  }

  get database(): TestDatabase {
    return started(this.#database);
  }

  get engine(): RunningEngine {
    return started(this.#engine);
  }

  get pool(): Pool {
    return (this.#pool ??= new Pool({ connectionString: this.database.url }));
  }

  /** Calls without an SDK, by the engine's own token. */
  get clients(): GrpcClients {
    return (this.#clients ??= new GrpcClients(this.engine.grpc, this.engine.token));
  }

  /** By the engine's own token. */
  get hatchet(): Hatchet {
    return (this.#hatchet ??= Hatchet.init({ token: this.engine.token, logger: () => quiet }));
  }

  async start(): Promise<void> {
    this.#database = await createTestDatabase();
    this.#engine = await this.#startEngine({ grpcPort: 0, httpPort: 0 });
  }

  /** On the same ports, once a test has stopped it: `clients` and `hatchet` find it again. */
  async startAgain(): Promise<void> {
    const { grpc, http } = this.engine;
    this.#engine = await this.#startEngine({ grpcPort: grpc.port, httpPort: http.port });
  }

  #startEngine(ports: EngineOptions): Promise<RunningEngine> {
    const { dataDir, database } = this;
    return startEngine({ databaseUrl: database.url, dataDir, ...ports, logLevel: 'silent', ...this.#options });
  }

  /** Also after a start that failed halfway: of what there is nothing is left. */
  async stop(): Promise<void> {
    try {
      this.#clients?.close();
      this.#hatchet?.close();
      await this.#engine?.stop();
      await this.#pool?.end();
      await this.#database?.drop();
    } finally {
      rmSync(this.folder, { recursive: true, force: true });
    }
  }
}

/**
 * For the tests of the file or the `describe` that calls it. It starts before what is prepared below the call, and stops
 * after what is cleaned up there.
 */
export function engineFixture(name: string, options: EngineOptions = {}): EngineFixture {
  const fixture = new EngineFixture(name, options);
  beforeAll(() => fixture.start());
  afterAll(() => fixture.stop());
  return fixture;
}

/** For the test that calls it. */
export async function engineForTest(name: string, options: EngineOptions = {}): Promise<EngineFixture> {
  const fixture = new EngineFixture(name, options);
  onTestFinished(() => fixture.stop());
  await fixture.start();
  return fixture;
}

function started<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the fixture has not started yet: use it in hooks and tests');
  return value;
}
