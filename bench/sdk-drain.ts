/**
 * What a task costs from its trigger to its stored result, over all processes, with this project's SDK: `npm run bench:drain [tasks]`.
 * No-op tasks are enqueued in bulk, then a worker starts and drains them; then some are in flight all the time. Needs a build.
 * Prints one JSON object for each part: tasks a second, and microseconds of CPU a task by process.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { readCpu, type CpuReading } from '../cli/commands/bench/cpu-usage.ts';
import { Hatchet } from '../sdk/index.ts';
import { endProcess, launchEngine } from './launch-engine.ts';

const here = dirname(fileURLToPath(import.meta.url));
const tasks = Number(process.argv[2] ?? 20_000);
const inFlight = 500;
const body = 'x'.repeat(150);

function startWorker(token: string): ChildProcess {
  return fork(join(here, 'sdk-drain-worker.mjs'), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, HATCHET_CLIENT_TOKEN: token, HATCHET_CLIENT_LOG_LEVEL: 'OFF' },
  });
}

function perTask(before: CpuReading, after: CpuReading, count: number): Record<string, number> {
  const parts = (['engine', 'postgres', 'worker', 'client'] as const).map((part): [string, number] => [
    part,
    Math.round(((after[part] ?? NaN) - (before[part] ?? NaN)) / count),
  ]);
  return { ...Object.fromEntries(parts), all: parts.reduce((sum, [, us]) => sum + us, 0) };
}

const dataDir = mkdtempSync(join(tmpdir(), 'hatchet-bench-'));
const engine = await launchEngine(dataDir);
const database = new Client({ connectionString: engine.databaseUrl });
await database.connect();
const hatchet = Hatchet.init({ token: engine.token, logLevel: 'OFF' });
const noop = hatchet.task({ name: 'noop', fn: (input: { i: number; body: string }) => ({ i: input.i }) });
// Registers the workflow.
const first = startWorker(engine.token);
await once(first, 'message');
await endProcess(first);

async function untilDrained(): Promise<void> {
  for (;;) {
    const { rows } = await database.query<{ left: number }>('SELECT count(*)::integer AS left FROM live');
    if (rows[0]?.left === 0) return;
    await delay(10);
  }
}

const sources = (worker?: ChildProcess) => ({
  enginePid: engine.child.pid,
  dataDir,
  workerPids: worker?.pid === undefined ? [] : [worker.pid],
});
const inputs = Array.from({ length: tasks }, (_, i) => ({ i, body }));

const parts: Record<string, unknown> = {};
let before = readCpu(sources());
let beganAt = performance.now();
await noop.runNoWait(inputs);
parts['enqueue'] = {
  perSecond: Math.round(tasks / ((performance.now() - beganAt) / 1000)),
  cpuUs: perTask(before, readCpu(sources()), tasks),
};
const worker = startWorker(engine.token);
await once(worker, 'message');
before = readCpu(sources(worker));
beganAt = performance.now();
await untilDrained();
parts['drain'] = {
  perSecond: Math.round(tasks / ((performance.now() - beganAt) / 1000)),
  cpuUs: perTask(before, readCpu(sources(worker)), tasks),
};
before = readCpu(sources(worker));
beganAt = performance.now();
let next = 0;
await Promise.all(
  Array.from({ length: inFlight }, async () => {
    for (let i = next++; i < tasks; i = next++) await noop.run({ i, body });
  }),
);
parts['inFlight'] = {
  perSecond: Math.round(tasks / ((performance.now() - beganAt) / 1000)),
  cpuUs: perTask(before, readCpu(sources(worker)), tasks),
};
const took: number[] = [];
for (let n = 0; n < 300; n++) {
  const sentAt = performance.now();
  await noop.run({ i: n, body });
  took.push(performance.now() - sentAt);
  await delay(8);
}
took.sort((a, b) => a - b);
parts['alone'] = { p50Ms: round2(took[150]), p99Ms: round2(took[297]) };

function round2(ms = NaN): number {
  return Math.round(ms * 100) / 100;
}
console.log(JSON.stringify(parts, null, 1));
hatchet.close();
await database.end();
await endProcess(worker);
await endProcess(engine.child);
rmSync(dataDir, { recursive: true, force: true });
