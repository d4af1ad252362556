import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RunningEngine } from '../../engine/config.ts';
import { startEngine } from '../../engine/index.ts';
import { Hatchet } from '../../sdk/index.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/test-database.ts';

const root = join(import.meta.dirname, '..', '..');
/** Below the package, so that bare imports resolve. */
const folder = join(root, 'node_modules', `.worker-loss-${process.pid}`);
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let database: TestDatabase;
let engine: RunningEngine;
let hatchet: Hatchet;
const workers: SpawnedWorker[] = [];

interface SpawnedWorker {
  child: ChildProcess;
  output: string;
}

/** A process of its own, that nobody watches. */
async function spawnWorker(): Promise<SpawnedWorker> {
  const child = spawn(process.execPath, [join(folder, 'worker.mjs')], { env: { ...process.env, HATCHET_CLIENT_TOKEN: engine.token }, stdio: ['ignore', 'pipe', 'pipe'] });
  const worker: SpawnedWorker = { child, output: '' };
  workers.push(worker);
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (worker.output += data.toString()));
  await expect.poll(() => worker.output, { interval: 10 }).toContain('ready');
  return worker;
}

beforeAll(async () => {
  mkdirSync(join(folder, 'data'), { recursive: true });
  await build({ entryPoints: [join(root, 'test/fixtures/sdk-parity/process/worker.ts')], outfile: join(folder, 'worker.mjs'), bundle: true, format: 'esm', platform: 'node', target: 'node20.19', packages: 'external', logLevel: 'error' });
  database = await createTestDatabase();
  // Longer than the execution timeout of what is lost with a worker.
  engine = await startEngine({ databaseUrl: database.url, dataDir: join(folder, 'data'), grpcPort: 0, httpPort: 0, logLevel: 'silent', workerTimeoutMs: 8_000 });
  hatchet = Hatchet.init({ token: engine.token, logger: () => quiet });
});

afterEach(async () => {
  for (const { child } of workers.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }
});

afterAll(async () => {
  hatchet.close();
  await engine.stop();
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

describe('a worker that is killed, and nobody tells', () => {
  it('loses none of 200 tasks with an execution timeout of 5 s and no retries', async () => {
    const [killed] = await Promise.all([spawnWorker(), spawnWorker()]);
    const refs = await Promise.all(Array.from({ length: 200 }, async () => await hatchet.runNoWait('process-slow', {})));
    await expect.poll(() => killed.output, { interval: 1 }).toContain('started process-slow');
    killed.child.kill('SIGKILL');
    const results = await Promise.all(refs.map(async (ref) => await ref.result()));
    expect(results).toEqual(refs.map(() => ({ 'process-slow': { finished: true } })));
    const moved = await Promise.all(refs.map(async (ref) => (await hatchet.runs.get(await ref.runId)).taskEvents.some(({ eventType }) => eventType === 'REASSIGNED')));
    expect(moved.filter(Boolean).length).toBeGreaterThan(0);
  });
});
