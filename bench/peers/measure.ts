/** One round of one contestant: a new Postgres, new processes, a warm-up, and the measurements. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { familyUs } from '../../cli/commands/bench/cpu-usage.ts';
import type { Cleanup } from './cleanup.ts';
import type { Backend, Contestant, Load } from './contestant.ts';
import { JobProcess } from './job-process.ts';
import { nowMs, type Range, type Reply } from './messages.ts';
import { PostgresCounters, removePostgres, startPostgres } from './store.ts';

export interface Sizes {
  /** Of the backlog, and of the jobs that go through with some in flight. */
  jobs: number;
  warmUp: number;
  inFlight: number;
  /** Jobs at the low rate, and the time between two. */
  paced: number;
  everyMs: number;
}

/** Microseconds a job. */
export interface CpuPerJob {
  client: number;
  worker: number;
  engine: number | undefined;
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
  transactions: number | undefined;
}

export interface InFlight {
  jobs: number;
  perSecond: number;
  cpu: CpuPerJob;
}

export interface Figures {
  backlog: Backlog;
  /** The place of a job is free again once its handler is entered. */
  entered: InFlight;
  /** The place of a job is free again once its caller has the result. */
  result: InFlight | undefined;
  startMs: { p50: number; p99: number };
}

export async function measure(name: string, contestant: Contestant, sizes: Sizes, cleanup: Cleanup): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), 'hatchet-bench-peers-'));
  const own = cleanup.nested();
  await own.add(() => rmSync(folder, { recursive: true, force: true }));
  try {
    const dataDir = join(folder, 'postgres');
    const starting = startPostgres(dataDir);
    // An interruption may come before it has started.
    await own.add(async () => removePostgres(await starting, dataDir));
    const server = await starting;
    const backend = (await contestant.start?.(server, folder, (step) => own.add(step))) ?? {
      target: { url: server.url },
      storePid: server.pid,
      storesInPostgres: true,
    };
    const [client, worker] = await Promise.all([JobProcess.fork(name), JobProcess.fork(name)]);
    await own.add(() => worker.end());
    await own.add(() => client.end());
    const counters = await PostgresCounters.open(server.url);
    await own.add(() => counters.close());
    const round = new Round({ contestant, sizes, backend, client, worker, counters });
    return await Promise.race([round.run(), client.ended, worker.ended]);
  } finally {
    await own.run();
  }
}

interface Parts {
  contestant: Contestant;
  sizes: Sizes;
  backend: Backend;
  client: JobProcess;
  worker: JobProcess;
  counters: PostgresCounters;
}

class Round {
  readonly #parts: Parts;
  #nextJob = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    parts.worker.onEntered = (jobs) => parts.client.tellEntered(jobs);
  }

  async run(): Promise<Figures> {
    const { client, backend, sizes, contestant } = this.#parts;
    await client.ask({ do: 'prepare', target: backend.target });
    const share = contestant.share?.backlog ?? 1;
    await this.#backlog(Math.round(sizes.warmUp * share));
    const backlog = await this.#backlog(Math.round(sizes.jobs * share));
    const entered = await this.#inFlight('entered');
    if (entered === undefined) throw new Error('a client cannot add single jobs');
    const result = await this.#inFlight('result');
    return { backlog, entered, result, startMs: await this.#lowRate() };
  }

  /** All jobs are added, then the worker starts, until the store has all of them as completed. */
  async #backlog(count: number): Promise<Backlog> {
    const { client, backend, counters } = this.#parts;
    const jobs = this.#range(count);
    await counters.checkpoint();
    const before = { transactions: await counters.transactions(), wal: await counters.wal() };
    await client.ask({ do: 'open', target: backend.target, load: 'backlog' });
    const cpu = this.#cpu();
    const added = await client.ask({ do: 'addMany', jobs });
    const lastEntered = this.#lastEntered();
    const started = nowMs();
    await this.#startWorker('backlog', jobs, 'last');
    await lastEntered;
    const completed = await this.#untilCompleted();
    const used = perJob(cpu, this.#cpu(), count);
    const wal = (await counters.wal()) - before.wal;
    await this.#stopWorker();
    await client.ask({ do: 'close' });
    const transactions = (await counters.transactions()) - before.transactions;
    const rate = (ms: number): number => count / (ms / 1000);
    const inPostgres = backend.storesInPostgres;
    return {
      jobs: count,
      addPerSecond: rate(added.endedAt - added.beganAt),
      drainPerSecond: rate(completed - started),
      bothPerSecond: rate(completed - added.beganAt),
      cpu: used,
      walBytes: inPostgres ? wal / count : undefined,
      transactions: inPostgres ? transactions / count : undefined,
    };
  }

  /** A warm-up, then as many as are measured. */
  async #inFlight(until: 'entered' | 'result'): Promise<InFlight | undefined> {
    const { client, backend, sizes, contestant } = this.#parts;
    const { canWait } = await client.ask({ do: 'open', target: backend.target, load: 'inFlight' });
    if (until === 'result' && canWait !== true) {
      await client.ask({ do: 'close' });
      return undefined;
    }
    const share = contestant.share?.inFlight ?? 1;
    const warmUp = Math.round(sizes.warmUp * share);
    const count = Math.round(sizes.jobs * share);
    const all = this.#range(warmUp + count);
    const tell = until === 'entered' ? 'each' : 'last';
    await this.#startWorker('inFlight', all, tell);
    const lastEntered = this.#lastEntered();
    const { inFlight } = sizes;
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

  /** From the call that adds a job until its handler is entered. */
  async #lowRate(): Promise<{ p50: number; p99: number }> {
    const { client, backend, sizes } = this.#parts;
    const { paced, everyMs } = sizes;
    const warmUp = Math.round(paced / 5);
    const jobs = this.#range(paced + warmUp);
    await client.ask({ do: 'open', target: backend.target, load: 'lowRate' });
    await this.#startWorker('lowRate', jobs, 'last');
    const lastEntered = this.#lastEntered();
    const { times: added = [] } = await client.ask({ do: 'addPaced', jobs, everyMs });
    await lastEntered;
    await this.#untilCompleted();
    const { times: entered = [] } = await this.#stopWorker();
    await client.ask({ do: 'close' });
    const took = entered.map((at, n) => at - (added[n] ?? Number.NaN)).slice(warmUp);
    took.sort((a, b) => a - b);
    const quantile = (part: number): number => took[Math.min(took.length - 1, Math.floor(part * took.length))] ?? NaN;
    return { p50: quantile(0.5), p99: quantile(0.99) };
  }

  #range(count: number): Range {
    const from = this.#nextJob;
    this.#nextJob += count;
    return { from, count };
  }

  #lastEntered(): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.worker.onLastEntered = resolve;
    });
  }

  async #startWorker(load: Load, jobs: Range, tell: 'each' | 'last'): Promise<void> {
    const { worker, backend } = this.#parts;
    await worker.ask({ do: 'startWorker', target: backend.target, load, jobs, tell });
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
    return {
      client: familyUs(client.pid),
      worker: familyUs(worker.pid),
      engine: backend.enginePid === undefined ? undefined : familyUs(backend.enginePid),
      store: familyUs(backend.storePid),
    };
  }
}

type Part = 'client' | 'worker' | 'engine' | 'store';
/** Microseconds of a process and its children; undefined for one that is not there. */
type CpuReading = Record<Part, number | undefined>;

function perJob(before: CpuReading, after: CpuReading, count: number): CpuPerJob {
  const of = (part: Part): number => ((after[part] ?? Number.NaN) - (before[part] ?? Number.NaN)) / count;
  const engine = after.engine === undefined ? undefined : of('engine');
  const [client, worker, store] = [of('client'), of('worker'), of('store')];
  return { client, worker, engine, store, all: client + worker + store + (engine ?? 0) };
}
