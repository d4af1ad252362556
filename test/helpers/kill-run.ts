import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { expect } from 'vitest';
import { readJournalLetters } from '../../engine/model/task/journal-letters.ts';
import { replayJournal } from '../../engine/model/task/transition.ts';
import { newId } from '../../engine/model/ids/uuid.ts';
import type { EngineOptions } from '../../engine/index.ts';
import { createLog } from '../../engine/base/log.ts';
import { hostPort } from '../../engine/net/bind-address.ts';
import { openDatabase, type Database } from '../../engine/local/database.ts';
import { ended, packageRoot, spawnEngine, type EngineChild } from './engine-process.ts';
import { GrpcClients } from './grpc-client.ts';
import { LoadBalancer } from './load-balancer.ts';
import { randomFrom } from './random.ts';
import { makeTempFolder } from './temp-folder.ts';
import { journalOf, newestEndOf } from '../../engine/postgres/rows-of-a-run.ts';

export interface KillRunOptions {
  /** In test/fixtures/kill. */
  worker: 'worker.mjs' | 'published-worker.mjs';
  workers: number;
  /** Several are replicas on one Postgres, behind a load balancer. Default 1, with a Postgres of its own. */
  engines?: number;
  /** Beside several engines: edges, which the load balancer has in place of them. Default 0. */
  edges?: number;
  kills: number;
  /** Tasks under way at any time; none beyond those of `rate`, where that is given. */
  inFlight: number;
  /** Tasks that are triggered each second, whatever dies meanwhile. They are short, so that the workers keep up. Default 0. */
  rate?: number;
  seed: number;
}

/** Between two looks at how many triggers are due. */
const paceMs = 20;
/** Triggers that may wait for their answer; while there are more, what is due is dropped. */
const mostUnanswered = 2_000;

interface StoredRun {
  id: string;
  results: number;
  ends: number;
  status: number;
  error: string | null;
  kinds: string[];
}

const readRuns = `
  SELECT r.id, (SELECT count(*)::integer FROM result x WHERE x.task_id = r.id) AS results, (SELECT count(*)::integer FROM ${newestEndOf('r.id')} n WHERE n.status <> 0) AS ends,
    (SELECT max(x.status) FROM result x WHERE x.task_id = r.id) AS status, (SELECT max(x.error) FROM result x WHERE x.task_id = r.id) AS error,
    (SELECT array_agg(h.kinds ORDER BY h.seq) FROM ${journalOf('r.id')} h) AS kinds
  FROM run r`;

const readOwners = `
  SELECT count(*)::integer AS n FROM shard s
  WHERE s.absent_since IS NOT NULL OR s.owner IS NULL OR s.owner = (SELECT id FROM replica WHERE grpc_address = $1)`;

/**
 * Engines with their Postgres and workers, each a process, of which one after the other is killed at a random moment while
 * tasks are triggered and run. The next kill comes once the engine answers again and all has been topped up, so that no
 * outage is longer than one restart.
 */
export class KillRun {
  readonly #options: KillRunOptions;
  readonly #random: () => number;
  readonly #folder = makeTempFolder('kill');
  readonly #bodies = join(this.#folder, 'bodies.log');
  readonly #dataDir = join(this.#folder, 'data');
  readonly #engines: EngineChild[] = [];
  readonly #edges: EngineChild[] = [];
  readonly #takeOversMs: number[] = [];
  #postgres: Database | undefined;
  #balancer: LoadBalancer | undefined;
  #ports: Pick<EngineOptions, 'grpcPort' | 'httpPort'> = { grpcPort: 0, httpPort: 0 };
  #clients: GrpcClients | undefined;
  #workers: ChildProcess[] = [];
  readonly #killedWorkers = new Set<number>();
  readonly #acknowledged: string[] = [];
  readonly #counts = { worker: 0, engine: 0, postgres: 0, edge: 0 };
  #triggered = 0;
  #unanswered = 0;
  #dropped = 0;
  #loadedMs = 0;

  constructor(options: KillRunOptions) {
    this.#options = options;
    this.#random = randomFrom(options.seed);
  }

  /** @returns what was lost or doubled; empty for nothing */
  async run(): Promise<string[]> {
    writeFileSync(this.#bodies, '');
    await this.#startAll();
    this.#clients = new GrpcClients(this.#address, this.#ready.token);
    for (let n = 0; n < this.#options.workers; n++) this.#startWorker();
    await this.#untilWorkflow();
    await this.#topUp();
    const since = performance.now();
    const load = this.#startLoad();
    for (let kill = 0; kill < this.#options.kills; kill++) await this.#killOne();
    this.#loadedMs = performance.now() - since;
    await load.end();
    await expect.poll(() => this.#live().catch(() => -1), { timeout: 240_000, interval: 500 }).toBe(0);
    return this.#compare();
  }

  async stop(): Promise<void> {
    this.#clients?.close();
    for (const worker of this.#workers) {
      worker.kill('SIGKILL');
      await ended(worker);
    }
    await this.#balancer?.stop();
    await Promise.all(this.#edges.map((edge) => edge.end('SIGTERM')));
    await Promise.all(this.#engines.map((engine) => engine.end('SIGTERM')));
    await this.#postgres?.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #startAll(): Promise<void> {
    const { engines = 1, edges = 0 } = this.#options;
    if (engines === 1) {
      await this.#startEngine(0);
      // Those that come after it are found where it was.
      this.#ports = { grpcPort: this.#ready.grpc.port, httpPort: this.#ready.http.port };
      return;
    }
    writeFileSync(join(this.#folder, 'secret.key'), randomBytes(32).toString('base64'));
    this.#postgres = await openDatabase({ databaseUrl: undefined, dataDir: this.#dataDir, log: createLog('silent') });
    for (let place = 0; place < engines; place++) await this.#startEngine(place);
    await expect.poll(() => this.#sharing(), { timeout: 30_000 }).toBe(engines);
    for (let place = 0; place < edges; place++) await this.#startEdge(place);
    this.#balancer = await LoadBalancer.start(() => (edges > 0 ? this.#edges : this.#engines));
  }

  async #startEngine(place: number): Promise<void> {
    const own =
      this.#postgres === undefined
        ? { dataDir: this.#dataDir }
        : {
            dataDir: join(this.#folder, `engine-${place}`),
            databaseUrl: this.#postgres.url,
            secretKeyFile: join(this.#folder, 'secret.key'),
          };
    this.#engines[place] = await spawnEngine({
      ...own,
      ...this.#ports,
      workerTimeoutMs: 12_000,
      // Where all is slow, a task may be unlucky three times: that it fails then is right, and not what is tested here.
      maxWorkerDeaths: this.#options.kills + 1,
      logLevel: 'warn',
    });
  }

  async #startEdge(place: number): Promise<void> {
    if (this.#postgres === undefined) return;
    this.#edges[place] = await spawnEngine({
      edge: true,
      dataDir: join(this.#folder, `edge-${place}`),
      databaseUrl: this.#postgres.url,
      secretKeyFile: join(this.#folder, 'secret.key'),
      grpcPort: 0,
      httpPort: 0,
      logLevel: 'warn',
    });
  }

  get #ready(): EngineChild['ready'] {
    const [engine] = this.#engines;
    if (engine === undefined) throw new Error('the engine was not started');
    return engine.ready;
  }

  /** Where clients and workers find an engine. */
  get #address(): { host: string; port: number } {
    return this.#balancer === undefined ? this.#ready.grpc : { host: '127.0.0.1', port: this.#balancer.port };
  }

  /** How many engines have shards. */
  async #sharing(): Promise<number> {
    const [row] = await this.#sql<{ n: number }>('SELECT count(DISTINCT owner)::integer AS n FROM shard');
    return row?.n ?? 0;
  }

  #startWorker(): void {
    const script = join(packageRoot, 'test/fixtures/kill', this.#options.worker);
    const worker = spawn(process.execPath, [script, this.#bodies], {
      cwd: packageRoot,
      stdio: 'ignore',
      env: {
        ...process.env,
        HATCHET_CLIENT_TOKEN: this.#ready.token,
        HATCHET_CLIENT_HOST_PORT: `${this.#address.host}:${this.#address.port}`,
        HATCHET_CLIENT_TLS_STRATEGY: 'none',
        HATCHET_CLIENT_LOG_LEVEL: 'ERROR',
      },
    });
    this.#workers.push(worker);
  }

  async #killOne(): Promise<void> {
    // Triggers go on while things die.
    const during = Array.from({ length: 10 }, () => this.#trigger(300));
    await delay(Math.floor(this.#random() * 1500)); // the random point at which the axe falls
    const victims = ['worker', 'engine', 'postgres', ...(this.#edges.length > 0 ? (['edge'] as const) : [])] as const;
    const victim = victims[Math.floor(this.#random() * victims.length)] ?? 'worker';
    this.#counts[victim]++;
    if (victim === 'worker') {
      const [worker] = this.#workers.splice(Math.floor(this.#random() * this.#workers.length), 1);
      worker?.kill('SIGKILL');
      this.#killedWorkers.add(worker?.pid ?? 0);
      this.#startWorker();
    } else if (victim === 'engine') {
      await this.#killEngine();
    } else if (victim === 'edge') {
      const place = Math.floor(this.#random() * this.#edges.length);
      await this.#edges[place]?.end('SIGKILL');
      await this.#startEdge(place);
    } else {
      process.kill(this.#postgresPid(), 'SIGKILL');
    }
    await Promise.all(during);
    const isToppedUp = (): Promise<boolean> =>
      this.#topUp().then(
        () => true,
        () => false,
      );
    await expect.poll(isToppedUp, { timeout: 60_000, interval: 200 }).toBe(true);
  }

  async #killEngine(): Promise<void> {
    const place = Math.floor(this.#random() * this.#engines.length);
    const engine = this.#engines[place];
    await engine?.end('SIGKILL');
    if (this.#postgres !== undefined && engine !== undefined) await this.#timeTakeOver(engine);
    await this.#startEngine(place);
  }

  /** Until all that it had is served by others. */
  async #timeTakeOver({ ready: { grpc } }: EngineChild): Promise<void> {
    const since = performance.now();
    const unserved = async (): Promise<number> =>
      (await this.#sql<{ n: number }>(readOwners, [hostPort(grpc)]))[0]?.n ?? Number.NaN;
    await expect.poll(() => unserved().catch(() => -1), { timeout: 60_000, interval: 50 }).toBe(0);
    this.#takeOversMs.push(performance.now() - since);
  }

  #postgresPid(): number {
    const record: unknown = JSON.parse(readFileSync(join(this.#dataDir, 'postgres.json'), 'utf8'));
    const cluster = typeof record === 'object' && record !== null && 'folder' in record ? String(record.folder) : '';
    return Number(readFileSync(resolve(this.#dataDir, cluster, 'postmaster.pid'), 'utf8').split('\n')[0]);
  }

  /** Triggers at the rate until it is ended, which resolves once all are acknowledged. */
  #startLoad(): { end(): Promise<void> } {
    const { rate = 0 } = this.#options;
    const open = new Set<Promise<void>>();
    const since = performance.now();
    let due = 0;
    const timer = setInterval(() => {
      for (; due < ((performance.now() - since) * rate) / 1000; due++) {
        if (this.#unanswered >= mostUnanswered) {
          this.#dropped++;
          continue;
        }
        const triggering = this.#trigger(20 + Math.floor(this.#random() * 200)).finally(() => open.delete(triggering));
        open.add(triggering);
      }
    }, paceMs);
    return {
      end: async () => {
        clearInterval(timer);
        await Promise.all(open);
      },
    };
  }

  async #topUp(): Promise<void> {
    if (this.#options.rate !== undefined) return this.#trigger(20);
    const missing = Math.max(0, this.#options.inFlight - (await this.#live()));
    await Promise.all(
      Array.from({ length: missing }, async () => this.#trigger(200 + Math.floor(this.#random() * 1500))),
    );
  }

  /** Triggers until it is acknowledged: the id is the caller's, so a repeat is the same run. */
  async #trigger(ms: number): Promise<void> {
    this.#unanswered++;
    try {
      await this.#untilAcknowledged(ms);
    } finally {
      this.#unanswered--;
    }
  }

  async #untilAcknowledged(ms: number): Promise<void> {
    const clients = this.#clients;
    if (clients === undefined) return;
    const runId = newId();
    const request = {
      workflowName: 'work',
      input: Buffer.from(JSON.stringify({ n: this.#triggered++, ms })),
      additionalMetadata: Buffer.from('{}'),
      desiredWorkerLabels: {},
    };
    for (;;) {
      try {
        const metadata = { 'hatchet-run-id': runId };
        const reply = await clients.call(clients.admin, clients.admin.triggerWorkflowRun, request, metadata);
        this.#acknowledged.push(reply.externalId);
        return;
      } catch (error) {
        // Repeated, never slept away: the call itself waits for the engine up to its parking time.
        if (!(error instanceof Error)) throw error;
        await delay(50);
      }
    }
  }

  async #untilWorkflow(): Promise<void> {
    const clients = this.#clients;
    const name = (): Promise<string | undefined> | undefined =>
      clients?.call(clients.monitor, clients.monitor.getWorkflow, { name: 'work' }).then(
        (reply) => reply.workflow?.name,
        () => 'none',
      );
    await expect.poll(name, { timeout: 60_000, interval: 100 }).toBe('work');
  }

  async #live(): Promise<number> {
    const [row] = await this.#sql<{ live: number }>('SELECT count(*)::integer AS live FROM live');
    return row?.live ?? 0;
  }

  async #sql<T extends object>(text: string, values: unknown[] = []): Promise<T[]> {
    const client = new Client({ connectionString: this.#ready.databaseUrl });
    await client.connect();
    try {
      return (await client.query<T>(text, values)).rows;
    } finally {
      await client.end();
    }
  }

  async #compare(): Promise<string[]> {
    const stored = await this.#sql<StoredRun>(readRuns);
    const byId = new Map(stored.map((row) => [row.id, row]));
    const ran = new Map<string, { attempt: number; pid: number }[]>();
    for (const line of readFileSync(this.#bodies, 'utf8').trim().split('\n')) {
      const [taskId = '', attempt, pid] = line.split(' ');
      ran.set(taskId, [...(ran.get(taskId) ?? []), { attempt: Number(attempt), pid: Number(pid) }]);
    }
    const { seed, kills, worker } = this.#options;
    const { worker: workers, engine, postgres, edge } = this.#counts;
    const repeated = [...ran.values()].filter((runs) => runs.length > 1).length;
    process.stdout.write(
      `kill -9: ${worker}, seed ${seed}, kills ${kills} (worker ${workers}, engine ${engine}, postgres ${postgres}, edge ${edge}), acknowledged ${this.#acknowledged.length}, runs ${stored.length}, bodies ${[...ran.values()].flat().length}, run again after their worker died ${repeated}\n`,
    );
    if (this.#options.rate !== undefined)
      process.stdout.write(
        `load: ${this.#options.rate} a second for ${Math.round(this.#loadedMs / 1000)} s, ${Math.round((this.#acknowledged.length / this.#loadedMs) * 1000)} a second acknowledged; dropped, while ${mostUnanswered} waited for their answer, ${this.#dropped}; ended once ${stored.filter((row) => row.results === 1 && row.ends === 1).length}\n`,
      );
    if (this.#takeOversMs.length > 0) {
      const sorted = this.#takeOversMs.toSorted((a, b) => a - b).map(Math.round);
      process.stdout.write(
        `take-overs: ${sorted.length}, median ${sorted[Math.floor(sorted.length / 2)]} ms, longest ${sorted.at(-1)} ms\n`,
      );
    }
    const wrong: string[] = [];
    if (new Set(this.#acknowledged).size !== this.#acknowledged.length) wrong.push('an id was acknowledged twice');
    if (stored.length !== this.#acknowledged.length)
      wrong.push(`${this.#acknowledged.length} runs were acknowledged, ${stored.length} are stored`);
    for (const id of this.#acknowledged) wrong.push(...this.#faults(id, byId.get(id), ran.get(id) ?? []));
    return wrong;
  }

  #faults(id: string, row: StoredRun | undefined, ran: readonly { attempt: number; pid: number }[]): string[] {
    const wrong: string[] = [];
    if (row === undefined) wrong.push(`${id} was acknowledged but is gone`);
    else if (row.results !== 1 || row.ends !== 1 || row.status !== 3)
      wrong.push(
        `${id}: ${row.results} results, ${row.ends} ends, status ${row.status} ${row.error ?? ''}; ran on ${ran.length} workers, of which ${ran.filter((run) => this.#killedWorkers.has(run.pid)).length} were killed; journal ${row.kinds.join(' ')}`,
      );
    else if (row.kinds.join('').split('F').length !== 2) wrong.push(`${id}: journal ${row.kinds.join(' ')}`);
    else if (replayJournal(readJournalLetters(row.kinds.join(''))) !== row.status)
      wrong.push(`${id}: journal ${row.kinds.join(' ')} does not give ${row.status}`);
    const survived = ran.filter((run) => !this.#killedWorkers.has(run.pid));
    if (survived.length > 1) wrong.push(`${id}: ran ${survived.length} times on workers that lived`);
    if (ran.length === 0) wrong.push(`${id}: never ran`);
    if (new Set(ran.map((run) => run.attempt)).size !== ran.length) wrong.push(`${id}: the same attempt ran twice`);
    return wrong;
  }
}
