/** A round of one contestant: a new Postgres, new processes, and the measurements that are asked of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { childrenUs, familyUs } from '../../cli/commands/bench/cpu-usage.ts';
import type { Cleanup } from './cleanup.ts';
import type { Backend, Contestant, Load, Shape, Target } from './contestant.ts';
import { JobProcess } from './job-process.ts';
import { nowMs, type Range, type Reply, type Span, type Until } from './messages.ts';
import { mainThreadUs, residentMegabytes } from './process-figures.ts';
import { quantile } from './statistics.ts';
import { PostgresCounters, removePostgres, startPostgres } from './store.ts';

/** Microseconds a job. */
export interface CpuPerJob {
  client: number;
  worker: number;
  engine: number | undefined;
  /** Of the engine's: on the thread of its event loop. */
  engineLoop: number | undefined;
  /** Of the engine's: of its edge processes. */
  edges: number | undefined;
  store: number;
  all: number;
}

export interface Backlog {
  jobs: number;
  addPerSecond: number;
  drainPerSecond: number;
  bothPerSecond: number;
  cpu: CpuPerJob;
  walBytes: number | undefined;
}

/** With what took longer to count. */
export interface CountedBacklog extends Backlog {
  transactions: number | undefined;
}

export interface InFlight {
  jobs: number;
  perSecond: number;
  cpu: CpuPerJob;
}

export interface Paced {
  jobs: number;
  /** From the call that adds a job until its handler is entered. */
  startMs: { p50: number; p99: number };
  /** Until the caller has its result, if it waits for it. */
  resultMs: { p50: number; p99: number } | undefined;
  cpu: CpuPerJob;
}

export interface Setting {
  name: string;
  contestant: Contestant;
  shape: Shape;
  /** The binary on which clients, workers and engines run. */
  node: string;
}

export async function withRound<T>(setting: Setting, cleanup: Cleanup, work: (round: Round) => Promise<T>): Promise<T> {
  const { name, contestant, shape, node } = setting;
  const folder = mkdtempSync(join(tmpdir(), 'hatchet-bench-peers-'));
  const own = cleanup.nested();
  await own.add(() => rmSync(folder, { recursive: true, force: true }));
  try {
    const dataDir = join(folder, 'postgres');
    const starting = startPostgres(dataDir);
    // An interruption may come before it has started: then its start fails, and has told why.
    await own.add(async () => {
      const server = await starting.catch(() => undefined);
      if (server !== undefined) await removePostgres(server, dataDir);
    });
    const server = await starting;
    const atEnd = (step: () => Promise<void>): Promise<void> => own.add(step);
    const backend = (await contestant.start?.({ postgres: server, folder, shape, node, atEnd })) ?? {
      target: { url: server.url },
      storePid: server.pid,
      storesInPostgres: true,
    };
    const [client, worker] = await Promise.all([JobProcess.fork(name, node), JobProcess.fork(name, node)]);
    await own.add(() => worker.end());
    await own.add(() => client.end());
    const counters = await PostgresCounters.open(server.url);
    await own.add(() => counters.close());
    await client.ask({ do: 'prepare', target: backend.target, shape });
    const round = new Round({ contestant, shape, backend, client, worker, counters });
    return await Promise.race([work(round), client.ended, worker.ended]);
  } finally {
    await own.run();
  }
}

interface Parts {
  contestant: Contestant;
  shape: Shape;
  backend: Backend;
  client: JobProcess;
  worker: JobProcess;
  counters: PostgresCounters;
}

export class Round {
  readonly #parts: Parts;
  #nextJob = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    parts.worker.onEntered = (jobs) => parts.client.tellEntered(jobs);
  }

  /** Its transactions are counted too, for which Postgres may take twenty seconds. */
  async backlog(count: number): Promise<CountedBacklog> {
    const { backend, counters } = this.#parts;
    await counters.checkpoint();
    const before = await counters.transactions();
    const drained = await this.drain(count);
    const transactions = (await counters.transactions()) - before;
    return { ...drained, transactions: backend.storesInPostgres ? transactions / count : undefined };
  }

  /** All jobs are added, then the worker starts, until the store has all of them as completed. */
  async drain(count: number): Promise<Backlog> {
    const { client, backend, counters } = this.#parts;
    const jobs = this.#range(count);
    await this.#open('backlog');
    const walBefore = await counters.wal();
    const cpu = this.#cpu();
    const { beganAt, endedAt: addedAt } = await client.ask({ do: 'addMany', jobs });
    const lastEntered = this.#lastEntered();
    const startedAt = nowMs();
    await this.#startWorker('backlog', jobs, 'last');
    await lastEntered;
    const completedAt = await this.#untilCompleted();
    const used = perJob(cpu, this.#cpu(), count);
    const wal = (await counters.wal()) - walBefore;
    await this.#stopWorker();
    await client.ask({ do: 'close' });
    const rate = (ms: number): number => count / (ms / 1000);
    return {
      jobs: count,
      addPerSecond: rate(addedAt - beganAt),
      drainPerSecond: rate(completedAt - startedAt),
      bothPerSecond: rate(completedAt - beganAt),
      cpu: used,
      walBytes: backend.storesInPostgres ? wal / count : undefined,
    };
  }

  /** Undefined where the client cannot wait for results, and is asked to. */
  async inFlight(options: {
    until: Until;
    inFlight: number;
    warmUp: number;
    count: number;
  }): Promise<InFlight | undefined> {
    const { until, inFlight, warmUp, count } = options;
    const { client } = this.#parts;
    if (!(await this.#openFor('inFlight', until))) return undefined;
    const all = this.#range(warmUp + count);
    await this.#startWorker('inFlight', all, until === 'entered' ? 'each' : 'last');
    const lastEntered = this.#lastEntered();
    await client.ask({ do: 'keepInFlight', jobs: { from: all.from, count: warmUp }, inFlight, until });
    const cpu = this.#cpu();
    const measured = { from: all.from + warmUp, count };
    const { beganAt } = await client.ask({ do: 'keepInFlight', jobs: measured, inFlight, until });
    await lastEntered;
    const completed = await this.#untilCompleted();
    const used = perJob(cpu, this.#cpu(), count);
    await this.#stopWorker();
    await client.ask({ do: 'close' });
    return { jobs: count, perSecond: count / ((completed - beganAt) / 1000), cpu: used };
  }

  /** A job each `everyMs`, with the next one whether the one before has ended or not. */
  async paced(options: { until: Until; everyMs: number; warmUp: number; count: number }): Promise<Paced | undefined> {
    const { until, everyMs, warmUp, count } = options;
    const { client } = this.#parts;
    if (!(await this.#openFor('lowRate', until))) return undefined;
    const all = this.#range(warmUp + count);
    await this.#startWorker('lowRate', all, 'last');
    const lastEntered = this.#lastEntered();
    await client.ask({ do: 'addPaced', jobs: { from: all.from, count: warmUp }, everyMs, until });
    const cpu = this.#cpu();
    const measured = { from: all.from + warmUp, count };
    const { times: added = [], resultTimes = [] } = await client.ask({
      do: 'addPaced',
      jobs: measured,
      everyMs,
      until,
    });
    await lastEntered;
    await this.#untilCompleted();
    const used = perJob(cpu, this.#cpu(), count);
    const { times: entered = [] } = await this.#stopWorker();
    await client.ask({ do: 'close' });
    const since = (times: readonly number[]) => {
      const took = times.map((at, n) => at - (added[n] ?? Number.NaN));
      return { p50: quantile(took, 0.5), p99: quantile(took, 0.99) };
    };
    return {
      jobs: count,
      startMs: since(entered.slice(warmUp)),
      resultMs: until === 'result' ? since(resultTimes) : undefined,
      cpu: used,
    };
  }

  /** With so many in flight until their results, what each span of time gave, and the engine's memory at its end. */
  async keepFor(options: {
    inFlight: number;
    forMs: number;
    everyMs: number;
  }): Promise<(Span & { engineMb: number })[]> {
    const { client } = this.#parts;
    await this.#open('inFlight');
    await this.#startWorker('inFlight', { from: 0, count: 0 }, 'none');
    const engineMb: number[] = [];
    const looking = setInterval(() => engineMb.push(this.engineMegabytes()), options.everyMs);
    try {
      const { spans = [] } = await client.ask({ do: 'keepFor', from: this.#nextJob, ...options });
      await this.#untilCompleted();
      await this.#stopWorker();
      await client.ask({ do: 'close' });
      return spans.map((span, n) => ({ ...span, engineMb: engineMb[n] ?? Number.NaN }));
    } finally {
      clearInterval(looking);
    }
  }

  /** What clients connect to, and where the jobs are stored. */
  get target(): Target {
    return this.#parts.backend.target;
  }

  /** Of all engines together. */
  engineMegabytes(): number {
    return sum((this.#parts.backend.enginePids ?? []).map(residentMegabytes));
  }

  #range(count: number): Range {
    const from = this.#nextJob;
    this.#nextJob += count;
    return { from, count };
  }

  #open(load: Load): Promise<Reply> {
    const { client, backend, shape } = this.#parts;
    return client.ask({ do: 'open', target: backend.target, load, shape });
  }

  /** @returns whether the client is open, which it is not where it cannot do what is asked */
  async #openFor(load: Load, until: Until): Promise<boolean> {
    const { canWait } = await this.#open(load);
    if (until === 'entered' || canWait === true) return true;
    await this.#parts.client.ask({ do: 'close' });
    return false;
  }

  #lastEntered(): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.worker.onLastEntered = resolve;
    });
  }

  async #startWorker(load: Load, jobs: Range, tell: 'each' | 'last' | 'none'): Promise<void> {
    const { worker, backend, shape } = this.#parts;
    await worker.ask({ do: 'startWorker', target: backend.target, load, shape, jobs, tell });
  }

  async #stopWorker(): Promise<Reply> {
    const reply = await this.#parts.worker.ask({ do: 'stopWorker' });
    if (reply.again !== 0) console.error(`${reply.again ?? 'an unknown number of'} jobs were run more than once`);
    return reply;
  }

  /** @returns when the store had every job as completed */
  async #untilCompleted(): Promise<number> {
    const progress = await this.#parts.contestant.progress(this.#parts.backend.target);
    try {
      while ((await progress.left()) > 0) await delay(5);
      return nowMs();
    } finally {
      await progress.close();
    }
  }

  #cpu(): CpuReading {
    const { client, worker, backend } = this.#parts;
    const engines = backend.enginePids;
    return {
      client: familyUs(client.pid),
      worker: familyUs(worker.pid),
      engine: engines && sum(engines.map((pid) => familyUs(pid) ?? Number.NaN)),
      engineLoop: engines && sum(engines.map(mainThreadUs)),
      edges: engines && sum(engines.map((pid) => childrenUs(pid) ?? Number.NaN)),
      store: familyUs(backend.storePid),
    };
  }
}

type Part = Exclude<keyof CpuPerJob, 'all'>;
/** Microseconds of a process and its children; undefined for one that is not there. */
type CpuReading = Record<Part, number | undefined>;

function perJob(before: CpuReading, after: CpuReading, count: number): CpuPerJob {
  const of = (part: Part): number => ((after[part] ?? Number.NaN) - (before[part] ?? Number.NaN)) / count;
  const hasEngine = after.engine !== undefined;
  const engine = hasEngine ? of('engine') : undefined;
  const [client, worker, store] = [of('client'), of('worker'), of('store')];
  return {
    client,
    worker,
    engine,
    engineLoop: hasEngine ? of('engineLoop') : undefined,
    edges: hasEngine ? of('edges') : undefined,
    store,
    all: client + worker + store + (engine ?? 0),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
