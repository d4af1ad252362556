import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, type QueryResultRow } from 'pg';
import { ended, packageRoot, type EngineChild } from './engine-process.ts';
import { freePort } from './free-port.ts';
import { GrpcClients } from './grpc-client.ts';
import { HoldingProxy } from './holding-proxy.ts';
import { makeTempFolder } from './temp-folder.ts';
import { spawnInTopology } from './topology.ts';

/** What can happen to it. `lose answers`: what the engine sends to a worker is kept back until `release`, and then lost. */
export const blows = [
  'kill a worker',
  'stop a worker',
  'cut connections',
  'lose answers',
  'kill the engine',
  'kill Postgres',
] as const;
export type Blow = (typeof blows)[number];

export interface FleetWorker {
  durableSlots: number;
  ttl: string;
}

interface FleetOptions {
  dataDir: string;
  grpcPort: number;
  httpPort: number;
  workerTimeoutMs: number;
  /** More than any task here sees: by default the third ends it. */
  maxWorkerDeaths: number;
  logLevel: 'error';
}

interface Berth {
  readonly worker: FleetWorker;
  readonly proxy: HoldingProxy;
  child: ChildProcess;
}

/** An engine with a Postgres of its own and workers behind proxies, each a process that can be killed and comes back. */
export class DurableFleet {
  readonly clients: GrpcClients;
  readonly struck = new Map<Blow, number>();
  readonly #folder: string;
  readonly #options: FleetOptions;
  readonly #random: () => number;
  readonly #berths: Berth[] = [];
  readonly #held = new Set<HoldingProxy>();
  readonly #stopped: ChildProcess[] = [];
  readonly #postgresFolder: string;
  #engine: EngineChild;
  #client: Client | undefined;

  private constructor(facts: {
    folder: string;
    options: FleetOptions;
    engine: EngineChild;
    random: () => number;
    postgresFolder: string;
  }) {
    this.#folder = facts.folder;
    this.#options = facts.options;
    this.#engine = facts.engine;
    this.#random = facts.random;
    this.#postgresFolder = facts.postgresFolder;
    this.clients = new GrpcClients(facts.engine.ready.grpc, facts.engine.ready.token);
  }

  /** @param random decides who is struck */
  static async start(workers: readonly FleetWorker[], random: () => number): Promise<DurableFleet> {
    const folder = makeTempFolder('durable-programs');
    const options: FleetOptions = {
      dataDir: join(folder, 'data'),
      grpcPort: await freePort(),
      httpPort: await freePort(),
      workerTimeoutMs: 6_000,
      maxWorkerDeaths: 1_000,
      logLevel: 'error',
    };
    const engine = await spawnInTopology(options);
    const client = new Client({ connectionString: engine.ready.databaseUrl });
    await client.connect();
    const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
    await client.end();
    const fleet = new DurableFleet({ folder, options, engine, random, postgresFolder: rows[0]?.data_directory ?? '' });
    writeFileSync(fleet.#notes, '');
    for (const worker of workers) {
      const proxy = await HoldingProxy.start(options.grpcPort);
      fleet.#berths.push({ worker, proxy, child: fleet.#spawn(worker, proxy) });
    }
    return fleet;
  }

  get #notes(): string {
    return join(this.#folder, 'notes');
  }

  /** What the workers wrote down, by word. */
  notes(): string[][] {
    return readFileSync(this.#notes, 'utf8')
      .split('\n')
      .flatMap((line) => (line === '' ? [] : [line.split(' ')]));
  }

  /** @throws while there is no Postgres */
  async query<Row extends QueryResultRow>(sql: string, values: unknown[]): Promise<Row[]> {
    return (await (await this.connection()).query<Row>(sql, values)).rows;
  }

  async connection(): Promise<Client> {
    if (this.#client !== undefined) return this.#client;
    const client = new Client({ connectionString: this.#engine.ready.databaseUrl });
    client.on('error', () => {
      if (this.#client === client) this.#client = undefined;
    });
    await client.connect();
    this.#client = client;
    return client;
  }

  async strike(blow: Blow): Promise<void> {
    this.struck.set(blow, (this.struck.get(blow) ?? 0) + 1);
    const berth = this.#berths[Math.floor(this.#random() * this.#berths.length)];
    if (berth === undefined) throw new Error('the fleet has no workers');
    switch (blow) {
      case 'kill a worker':
        berth.child.kill('SIGKILL');
        await ended(berth.child);
        berth.child = this.#spawn(berth.worker, berth.proxy);
        break;
      case 'stop a worker':
        berth.child.kill('SIGTERM');
        this.#stopped.push(berth.child); // it ends in its own time, beside the one that takes its place
        berth.child = this.#spawn(berth.worker, berth.proxy);
        break;
      case 'cut connections':
        berth.proxy.drop();
        break;
      case 'lose answers':
        berth.proxy.hold();
        this.#held.add(berth.proxy);
        break;
      case 'kill the engine':
        await this.#engine.end('SIGKILL');
        this.#engine = await spawnInTopology(this.#options);
        break;
      case 'kill Postgres': {
        const [postmaster] = readFileSync(join(this.#postgresFolder, 'postmaster.pid'), 'utf8').split('\n');
        process.kill(Number(postmaster), 'SIGKILL');
        break;
      }
    }
  }

  /** What was kept back is lost. */
  release(): void {
    for (const proxy of this.#held) proxy.drop();
    this.#held.clear();
  }

  async stop(): Promise<void> {
    this.clients.close();
    for (const child of [...this.#stopped, ...this.#berths.map((berth) => berth.child)]) {
      child.kill('SIGKILL');
      await ended(child);
    }
    for (const { proxy } of this.#berths) await proxy.stop();
    await this.#client?.end();
    await this.#engine.end('SIGTERM');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #spawn({ durableSlots, ttl }: FleetWorker, proxy: HoldingProxy): ChildProcess {
    const { token, http } = this.#engine.ready;
    const env = {
      ...process.env,
      HATCHET_CLIENT_TOKEN: token,
      HATCHET_CLIENT_HOST_PORT: `127.0.0.1:${proxy.port}`,
      HATCHET_CLIENT_API_URL: `http://127.0.0.1:${http.port}`,
      HATCHET_CLIENT_TLS_STRATEGY: 'none',
      HATCHET_CLIENT_LOG_LEVEL: 'OFF',
    };
    const args = [
      '--import',
      'tsx',
      join(packageRoot, 'test/fixtures/durable-programs/worker.mjs'),
      this.#notes,
      String(durableSlots),
      ttl,
    ];
    return spawn(process.execPath, args, { cwd: packageRoot, stdio: 'ignore', env });
  }
}
