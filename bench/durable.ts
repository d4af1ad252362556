/**
 * What durable tasks cost: thousands asleep on a handful of slots, the replay of a long log, how late sleeps wake, runs of
 * three memos, and events that one of thousands waits for. `npm run bench:durable [sleepers]`, 0 for none; prints one JSON
 * object. Needs a build.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { Hatchet } from '../sdk/index.ts';
import { endProcess, launchEngine } from './launch-engine.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const sleepers = Number(process.argv[2] ?? 10_000);
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

function startWorker(token: string, slots: number): ChildProcess {
  return spawn(
    process.execPath,
    ['--expose-gc', '--import', 'tsx', join(root, 'bench/durable-worker.ts'), String(slots)],
    {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, HATCHET_CLIENT_TOKEN: token, HATCHET_CLIENT_LOG_LEVEL: 'OFF' },
    },
  );
}

/** Resident megabytes of a process. */
function rss(child: ChildProcess): number {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kilobytes) / 1024);
}

function percentile(values: readonly number[], at: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))] ?? 0);
}

interface Outcome {
  lateMs: number;
  invocations: number;
  ms: number;
}

async function statuses(runIds: readonly string[], wanted: (evicted: number, done: number) => boolean): Promise<void> {
  const client = new Client({ connectionString: engine.databaseUrl });
  await client.connect();
  const sql = `SELECT count(*) FILTER (WHERE l.state = 7)::integer AS evicted, count(*) FILTER (WHERE l.task_id IS NULL)::integer AS done FROM unnest($1::uuid[]) AS u (id) LEFT JOIN live l ON l.task_id = u.id`;
  for (;;) {
    const { rows } = await client.query<{ evicted: number; done: number }>(sql, [runIds]);
    if (wanted(rows[0]?.evicted ?? 0, rows[0]?.done ?? 0)) break;
    await delay(500);
  }
  await client.end();
}

/** A run by name has its outputs by task. */
async function outcomeOf(outputs: Promise<Record<string, Outcome>>): Promise<Outcome> {
  const [outcome] = Object.values(await outputs);
  if (outcome === undefined) throw new Error('a run has no output');
  return outcome;
}

async function start(
  hatchet: Hatchet,
  workflow: string,
  inputs: readonly object[],
): Promise<{ id: string; output: Promise<Outcome> }[]> {
  const started: { id: string; output: Promise<Outcome> }[] = [];
  for (let from = 0; from < inputs.length; from += 500) {
    const refs = await Promise.all(
      inputs
        .slice(from, from + 500)
        .map(async (input) => hatchet.runNoWait<object, Record<string, Outcome>>(workflow, input)),
    );
    for (const ref of refs) started.push({ id: await ref.getWorkflowRunId(), output: outcomeOf(ref.output) });
  }
  return started;
}

/** Durable tasks that sleep, with ten slots between them. The last ones stay on their worker: nobody needs their slots. */
async function measureSleepers(hatchet: Hatchet): Promise<object> {
  const slots = 10;
  const worker = startWorker(engine.token, slots);
  await hatchetKnows(hatchet);
  const before = { engine: rss(engine.child), worker: rss(worker) };
  const untilMs = Date.now() + 20_000 + sleepers * 15;
  const startedAt = performance.now();
  const runs = await start(
    hatchet,
    'asleep',
    Array.from({ length: sleepers }, () => ({ untilMs })),
  );
  const ids = runs.map((run) => run.id);
  await statuses(ids, (evicted) => evicted > sleepers - slots || Date.now() > untilMs);
  const asleepMs = performance.now() - startedAt;
  const asleep = { engine: rss(engine.child), worker: rss(worker) };
  const results = await Promise.all(runs.map((run) => run.output));
  await endProcess(worker);
  return {
    sleepers,
    slots,
    completed: results.length,
    all_asleep_after_s: Math.round(asleepMs / 1000),
    megabytes: { before, asleep, afterwards: rss(engine.child) },
    all_awake_after_ms: Math.max(...results.map((result) => result.lateMs)),
    starts_a_task: results.reduce((sum, result) => sum + result.invocations, 0) / results.length,
  };
}

async function hatchetKnows(hatchet: Hatchet): Promise<void> {
  for (;;) {
    const { rows } = await hatchet.workers.list();
    if ((rows ?? []).some((worker) => worker.status === 'ACTIVE')) return;
    await delay(100);
  }
}

/** A second start of a task whose log holds a thousand nodes. */
async function measureReplay(hatchet: Hatchet, together: boolean): Promise<object> {
  const nodes = 1000;
  const ms: number[] = [];
  for (let round = 0; round < 5; round++) {
    const scope = `${together} ${round}`;
    const [run] = await start(hatchet, 'long', [{ nodes, together, scope }]);
    if (run === undefined) throw new Error('nothing was started');
    await statuses([run.id], (evicted, done) => evicted + done === 1);
    await hatchet.events.push('go', {}, { scope });
    ms.push((await run.output).ms);
  }
  return {
    nodes,
    nodes_per_s: Math.round(nodes / (percentile(ms, 0.5) / 1000)),
    ms: { median: percentile(ms, 0.5), min: Math.round(Math.min(...ms)), max: Math.round(Math.max(...ms)) },
  };
}

/** Naps of two seconds, a hundred a second. */
async function measureWakeUps(hatchet: Hatchet): Promise<object> {
  const outputs: Promise<Outcome>[] = [];
  const startedAt = performance.now();
  for (let n = 0; n < 1500; n++) {
    await delay(Math.max(0, startedAt + n * 10 - performance.now()));
    outputs.push(outcomeOf(hatchet.run<object, Record<string, Outcome>>('nap', { ms: 2000 })));
  }
  const late = (await Promise.all(outputs)).map((output) => output.lateMs);
  return {
    rate: 100,
    naps: late.length,
    late_ms: {
      p50: percentile(late, 0.5),
      p95: percentile(late, 0.95),
      p99: percentile(late, 0.99),
      max: percentile(late, 1),
    },
  };
}

/** Events for one each of thousands that wait off their workers for the same key. */
async function measureEvents(hatchet: Hatchet, by: 'expression' | 'scope'): Promise<object> {
  const waiting = 5_000;
  const runs = await start(
    hatchet,
    'approved',
    Array.from({ length: waiting }, (_, id) => (by === 'scope' ? { id, scope: `case ${id}` } : { id })),
  );
  await statuses(
    runs.map((run) => run.id),
    (evicted) => evicted === waiting,
  );
  const ms: number[] = [];
  for (let id = 0; id < 100; id++) {
    const startedAt = performance.now();
    await hatchet.events.push('approval', { id }, by === 'scope' ? { scope: `case ${id}` } : {});
    ms.push(performance.now() - startedAt);
  }
  await Promise.all(runs.slice(0, 100).map((run) => run.output));
  for (const { output } of runs.slice(100)) output.catch(() => undefined); // they wait for ever
  return { by, waiting, push_ms: { p50: percentile(ms, 0.5), p99: percentile(ms, 0.99), max: percentile(ms, 1) } };
}

/** Runs of three memos, each committed before the next, as fast as they go. */
async function measureSteps(hatchet: Hatchet): Promise<object> {
  const seconds = 10;
  const inFlight = 200;
  const until = performance.now() + seconds * 1000;
  let runs = 0;
  const caller = async (): Promise<void> => {
    for (; performance.now() < until; runs++) await hatchet.run('steps', { n: runs });
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  return { memos: 3, in_flight: inFlight, runs_per_s: Math.round(runs / seconds) };
}

const dataDir = mkdtempSync(join(tmpdir(), 'hatchet-bench-durable-'));
const engine = await launchEngine(dataDir);
const hatchet = Hatchet.init({ token: engine.token, logger: () => quiet });
try {
  const asleep = sleepers === 0 ? undefined : await measureSleepers(hatchet);
  const worker = startWorker(engine.token, 1000);
  await hatchetKnows(hatchet);
  const wakeUps = await measureWakeUps(hatchet);
  const replay = { one_by_one: await measureReplay(hatchet, false), together: await measureReplay(hatchet, true) };
  const events = [await measureEvents(hatchet, 'expression'), await measureEvents(hatchet, 'scope')];
  const steps = await measureSteps(hatchet);
  await endProcess(worker);
  process.stdout.write(`${JSON.stringify({ asleep, wakeUps, replay, events, steps }, null, 2)}\n`);
} finally {
  hatchet.close();
  await endProcess(engine.child);
  rmSync(dataDir, { recursive: true, force: true });
}
