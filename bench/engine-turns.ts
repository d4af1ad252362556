/**
 * The longest turn of the engine's event loop and its longest transaction where very much of one thing is there, and what another
 * tenant's task waits for its start meanwhile: a real engine with its Postgres, real calls. `npm run bench:turns [scenario…]`,
 * with `--quick` for a tenth of the sizes. Needs a build. One JSON line a scenario, then a table.
 *
 * A turn's own time is what the main thread was on a core. The tenant with the load is a process of low priority,
 * since it stands for other machines; the data folder is in memory where there is some.
 */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { setPriority, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Pool } from 'pg';
import { KeyRing } from '../engine/auth/key-ring.ts';
import { ensureTenant } from '../engine/auth/tenants.ts';
import { Tokens } from '../engine/auth/tokens.ts';
import { shardOf } from '../engine/model/ids/shard-of.ts';
import { ProbedEngine, type EngineFigures } from './turns/probed-engine.ts';
import { median, percentile, round } from './turns/round.ts';
import type { ProbeFigures } from './turns/start-probe.ts';
import { newTenantId, type TenantId } from '../engine/model/ids/tenant-id.ts';

const here = dirname(fileURLToPath(import.meta.url));
const isQuick = process.argv.includes('--quick');
const divisor = isQuick ? 10 : 1;
const quietMs = isQuick ? 5_000 : 10_000;
/** A phase is watched for so long at least: a deed of a moment has too few starts beside it. */
const leastMs = 2_000;
const workerTimeoutMs = 10_000;

/** What is done in each, by `turns/scenarios.ts`. */
const phasesOf: Record<string, string[]> = {
  bulk: ['calls'],
  limit: ['queue', 'refills'],
  labels: ['queue', 'workers'],
  keys: ['queue', 'work'],
  worker: ['queue', 'gained', 'lost'],
  event: ['asleep', 'event'],
  log: ['asks', 'replay'],
  queued: [
    'warmUpFill',
    'warmUp',
    'emptyFill1',
    'emptyDrain1',
    'emptyFill2',
    'emptyDrain2',
    'emptyFill3',
    'emptyDrain3',
    'fill',
    'waiting',
    'drain1',
    'drain2',
    'drain3',
    'takeover',
  ],
};

interface Start {
  p50: number;
  p99: number;
  count: number;
  firstAfterMs: number;
}

interface Phase {
  ms: number;
  result: { drained?: number; perSecond?: number; longestSilenceMs?: number; failures?: object };
  readyAfterMs?: number;
  engine: EngineFigures;
  start: Start & { ratioP50: number; ratioP99: number };
}

type Outcome = Record<string, Phase>;

/** One scenario's processes. */
class Stage {
  readonly #name: string;
  readonly #engine: ProbedEngine;
  readonly #dataDir = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'hatchet-turns-'));
  #probe: ChildProcess | undefined;
  #load: ChildProcess | undefined;
  quiet: { engine: EngineFigures; start: Start } | undefined;

  constructor(name: string) {
    this.#name = name;
    this.#engine = new ProbedEngine(this.#dataDir, { workerTimeoutMs });
  }

  async run(): Promise<Outcome> {
    await this.#engine.start();
    const { probe, load } = await this.#tokens();
    const { address, databaseUrl } = this.#engine.engine;
    this.#probe = await forked('start-probe.ts', [address, probe]);
    this.#load = await forked('load.ts', [this.#name, address, load, databaseUrl, String(divisor)]);
    if (this.#load.pid !== undefined) setPriority(this.#load.pid, 10);
    await this.#watched(() => delay(3_000)); // warms up
    await this.#call('define');
    const { engine, start } = await this.#watched(() => delay(quietMs));
    this.quiet = { engine, start };
    const outcome: Outcome = {};
    for (const phase of phasesOf[this.#name] ?? []) {
      process.stderr.write(`${this.#name}: ${phase}\n`);
      outcome[phase] = await this.#phase(phase, start);
    }
    return outcome;
  }

  async stop(): Promise<void> {
    for (const child of [this.#probe, this.#load]) if (child?.connected === true) child.disconnect();
    await this.#engine.stop();
    rmSync(this.#dataDir, { recursive: true, force: true });
  }

  async #phase(phase: string, quiet: Start): Promise<Phase> {
    let result: Phase['result'] = {};
    let ms = 0;
    let readyAfterMs: number | undefined;
    const { engine, start } = await this.#watched(async () => {
      const beganAt = performance.now();
      const restarting = phase === 'takeover' ? this.#restart() : undefined;
      result = await this.#call(phase);
      ms = Math.round(performance.now() - beganAt);
      readyAfterMs = await restarting;
      await delay(Math.max(0, leastMs - ms));
    });
    return {
      ms,
      result,
      ...(readyAfterMs === undefined ? {} : { readyAfterMs }),
      engine,
      start: { ...start, ratioP50: round(start.p50 / quiet.p50), ratioP99: round(start.p99 / quiet.p99) },
    };
  }

  /** Kill -9. @returns after how many milliseconds all shards were served again */
  async #restart(): Promise<number> {
    await this.#engine.kill();
    const killedAt = performance.now();
    await this.#engine.start();
    return Math.round(performance.now() - killedAt);
  }

  async #call(phase: string): Promise<Phase['result']> {
    if (this.#load === undefined) throw new Error('nothing can be called before the load is there');
    const answer = once(this.#load, 'message');
    this.#load.send(phase);
    const [reply]: { result: Phase['result'] }[] = await withEnd(answer, this.#load);
    return reply?.result ?? {};
  }

  /** Beside something that happens. */
  async #watched(work: () => Promise<unknown>): Promise<{ engine: EngineFigures; start: Start }> {
    const probe = this.#probe;
    if (probe === undefined) throw new Error('nothing can be watched before the probe is there');
    this.#engine.reset();
    probe.send('begin');
    await work();
    const answer = once(probe, 'message');
    probe.send('finish');
    const [figures]: ProbeFigures[] = await answer;
    const { took = [], firstAfterMs = 0 } = figures ?? {};
    const start = {
      p50: round(percentile(took, 0.5)),
      p99: round(percentile(took, 0.99)),
      count: took.length,
      firstAfterMs: Math.round(firstAfterMs),
    };
    return { engine: roundAll(await this.#engine.read()), start };
  }

  /**
   * Of two new tenants: in one shard, where what one does is nearest to the other; in two where the shard itself is away for
   * a while.
   */
  async #tokens(): Promise<{ probe: string; load: string }> {
    const { databaseUrl, address, serverUrl } = this.#engine.engine;
    const pool = new Pool({ connectionString: databaseUrl });
    try {
      await ensureTenant(pool, 'default');
      const probeId = newTenantId();
      let loadId = newTenantId();
      const isWanted = (id: TenantId): boolean => (shardOf(id) === shardOf(probeId)) === (this.#name !== 'queued');
      while (!isWanted(loadId)) loadId = newTenantId();
      const tokens = new Tokens(pool, await KeyRing.open(pool, { dataDir: this.#dataDir }));
      const tokenOf = async (tenantId: TenantId, name: string): Promise<string> => {
        await pool.query('INSERT INTO tenant (id, name) VALUES ($1, $2)', [tenantId, name]);
        return tokens.create({ tenantId, name, addresses: { serverUrl, grpcBroadcastAddress: address } });
      };
      return { probe: await tokenOf(probeId, 'probe'), load: await tokenOf(loadId, 'load') };
    } finally {
      await pool.end();
    }
  }
}

/** @throws Error if the process ends first */
async function withEnd<T>(answer: Promise<T[]>, child: ChildProcess): Promise<T[]> {
  const answered = new AbortController();
  const ended = once(child, 'exit', { signal: answered.signal }).then(([code]) => {
    throw new Error(`${child.spawnargs.join(' ')} ended with ${String(code)}`);
  });
  ended.catch(() => undefined); // it is given up with the answer
  try {
    return await Promise.race([answer, ended]);
  } finally {
    answered.abort();
  }
}

async function forked(file: string, options: string[]): Promise<ChildProcess> {
  const child = fork(join(here, 'turns', file), options);
  await withEnd(once(child, 'message'), child);
  return child;
}

function roundAll(figures: EngineFigures): EngineFigures {
  return JSON.parse(JSON.stringify(figures), (_, value: unknown) => (typeof value === 'number' ? round(value) : value));
}

/** Bytes that queued tasks take in the planner, by `planner-turns.ts` in a process that can collect garbage. */
async function bytesOfQueued(): Promise<{ bytesPlain?: number; bytesKeyed?: number }> {
  const child = spawn(
    process.execPath,
    ['--expose-gc', '--import', 'tsx', join(here, 'planner-turns.ts'), 'queued', ...(isQuick ? ['--quick'] : [])],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  for await (const line of createInterface({ input: child.stdout })) return JSON.parse(line);
  throw new Error('the planner measured no bytes');
}

/** The long queue's own figures. */
async function longQueue(outcome: Outcome): Promise<object> {
  const of = (name: string, value: (phase: Phase) => number): number =>
    median(
      [1, 2, 3].map((n) => {
        const phase = outcome[`${name}${n}`];
        return phase === undefined ? NaN : value(phase);
      }),
    );
  const rate = (phase: Phase): number => phase.result.perSecond ?? NaN;
  const cpu = (phase: Phase): number => (phase.engine.cpuMs * 1000) / (phase.result.drained ?? NaN);
  const { takeover } = outcome;
  const { bytesPlain, bytesKeyed } = await bytesOfQueued();
  return {
    bytesPlain,
    bytesKeyed,
    drain: {
      emptyPerSecond: of('emptyDrain', rate),
      fullPerSecond: of('drain', rate),
      ratio: round(of('drain', rate) / of('emptyDrain', rate)),
      emptyCpuUs: round(of('emptyDrain', cpu)),
      fullCpuUs: round(of('drain', cpu)),
      cpuRatio: round(of('drain', cpu) / of('emptyDrain', cpu)),
    },
    recovery: {
      readyAfterMs: takeover?.readyAfterMs,
      otherTenantStartsAfterMs: takeover?.start.firstAfterMs,
      heartbeats: takeover?.result,
    },
  };
}

interface Line {
  scenario: string;
  quiet: Stage['quiet'];
  phases: Outcome;
  queue?: object;
}

const columns = ['own', 'wall', 'gc', 'transaction', 'p50', 'p99', '÷ p50', '÷ p99', 'starts'];

function table(lines: readonly Line[]): string {
  const row = (cells: readonly (string | number)[]): string =>
    cells.map((cell, index) => (index === 0 ? String(cell).padEnd(22) : String(cell).padStart(11))).join(' ');
  const cellsOf = ({ longest, longestTurnMs, longestGcMs, longestTransactionMs }: EngineFigures): number[] => [
    longest.ownMs,
    longestTurnMs,
    longestGcMs,
    longestTransactionMs,
  ];
  const rows = lines.flatMap(({ scenario, quiet, phases }) => [
    ...(quiet === undefined
      ? []
      : [
          row([
            `${scenario}: quiet`,
            ...cellsOf(quiet.engine),
            quiet.start.p50,
            quiet.start.p99,
            1,
            1,
            quiet.start.count,
          ]),
        ]),
    ...Object.entries(phases).map(([name, { engine, start }]) =>
      row([
        `${scenario}: ${name}`,
        ...cellsOf(engine),
        start.p50,
        start.p99,
        start.ratioP50,
        start.ratioP99,
        start.count,
      ]),
    ),
  ]);
  return [
    'Milliseconds: the longest turn (own time, wall), collection of garbage and transaction; starts of another tenant.',
    row(['', ...columns]),
    ...rows,
  ].join('\n');
}

const asked = process.argv.slice(2).filter((each) => !each.startsWith('--'));
const lines: Line[] = [];
for (const scenario of Object.keys(phasesOf)) {
  if (asked.length > 0 && !asked.includes(scenario)) continue;
  const stage = new Stage(scenario);
  try {
    const phases = await stage.run();
    const line: Line = { scenario, quiet: stage.quiet, phases };
    if (scenario === 'queued') line.queue = await longQueue(phases);
    lines.push(line);
    process.stdout.write(`${JSON.stringify(line)}\n`);
  } finally {
    await stage.stop();
  }
}
if (lines.length > 0) process.stdout.write(`${table(lines)}\n`);
