/**
 * What a worker notices of tasks that keep all cores busy: how late its event loop is, how late a thread such as that of
 * its heartbeats, and how long an empty task of its own takes. `npm run bench:isolation [seconds]`, with the built package.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Hatchet } from '../sdk/index.ts';
import { endProcess, launchEngine } from './launch-engine.ts';

interface LoopDelay {
  p50: number;
  p99: number;
  max: number;
  /** Of a thread beside it, as the heartbeats' is: the most. */
  thread: number;
}

const seconds = Number(process.argv[2] ?? 15);
const cores = availableParallelism();
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

const dataDir = mkdtempSync(join(tmpdir(), 'hatchet-bench-isolation-'));
const engine = await launchEngine(dataDir);
const hatchet = Hatchet.init({ token: engine.token, hostPort: engine.address, logger: () => quiet });
const worker = fork(join(import.meta.dirname, 'isolation-worker.mjs'), [String(cores)], {
  env: {
    ...process.env,
    HATCHET_CLIENT_TOKEN: engine.token,
    HATCHET_CLIENT_HOST_PORT: engine.address,
    HATCHET_CLIENT_LOG_LEVEL: 'ERROR',
  },
  execArgv: [],
});
await new Promise((resolve) => worker.once('message', resolve));

/** Since the last time it was asked. */
async function loopDelay(child: ChildProcess): Promise<LoopDelay> {
  const told = new Promise<LoopDelay>((resolve) => child.once('message', (message: LoopDelay) => resolve(message)));
  child.send('tell');
  return await told;
}

/** @param task what each core is kept busy with, without a pause; `undefined` for nothing */
async function measure(task: string | undefined): Promise<void> {
  const over = new AbortController();
  const busy =
    task === undefined
      ? []
      : Array.from({ length: cores }, async () => {
          while (!over.signal.aborted) await hatchet.run(task, { ms: 1_000 });
        });
  await delay(3_000); // runners have started
  await loopDelay(worker);
  const took: number[] = [];
  for (const end = performance.now() + seconds * 1000; performance.now() < end; await delay(100)) {
    const startedAt = performance.now();
    await hatchet.run('empty', {});
    took.push(performance.now() - startedAt);
  }
  const loop = await loopDelay(worker);
  over.abort();
  await Promise.all(busy);
  took.sort((a, b) => a - b);
  const part = (share: number): string =>
    (took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? 0).toFixed(1);
  process.stdout.write(
    `| ${task ?? 'nothing'} | ${loop.p50.toFixed(1)} | ${loop.p99.toFixed(1)} | ${loop.max.toFixed(1)} | ${loop.thread.toFixed(1)} | ${part(0.5)} | ${part(0.99)} |\n`,
  );
}

process.stdout.write(
  `${cores} cores, each kept busy by tasks of 1 s, for ${seconds} s; milliseconds\n\n| busy with | loop p50 | loop p99 | loop max | heartbeat thread max | empty task p50 | p99 |\n| --- | --- | --- | --- | --- | --- | --- |\n`,
);
for (const task of [undefined, 'process', 'sandbox', 'thread', 'inline']) await measure(task);

await endProcess(worker);
hatchet.close();
await endProcess(engine.child);
rmSync(dataDir, { recursive: true, force: true });
