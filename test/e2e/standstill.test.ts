import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Hatchet } from '../../sdk/index.ts';
import { spawnEngine, type EngineChild } from '../helpers/engine-process.ts';
import { makeTempFolder } from '../helpers/temp-folder.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/test-database.ts';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const workerTimeoutMs = 6_000;
/** Longer than a worker may be silent, than the lease of the shards, and than the tasks' execution timeout. */
const stopMs = 10_000;
const tasks = 20;

const folder = makeTempFolder('standstill');
let database: TestDatabase;
let engine: EngineChild;
let hatchet: Hatchet;

beforeAll(async () => {
  database = await createTestDatabase();
  engine = await spawnEngine({
    databaseUrl: database.url,
    dataDir: folder,
    grpcPort: 0,
    httpPort: 0,
    logLevel: 'warn',
    workerTimeoutMs,
  });
  hatchet = Hatchet.init({ token: engine.ready.token, logger: () => quiet });
});

afterAll(async () => {
  hatchet.close();
  await engine.end('SIGTERM');
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

describe('an engine that is stopped and goes on', () => {
  it('starts nothing a second time, and takes the results of what ran meanwhile', async () => {
    const begun: number[] = [];
    const task = hatchet.task({
      name: 'patient',
      executionTimeout: '5s',
      retries: 0,
      fn: async ({ n }: { n: number }) => {
        begun.push(n);
        // Half of them end while the engine stands still, and half after that.
        await delay(n % 2 === 0 ? 2_000 : stopMs + 2_500);
        return { n };
      },
    });
    const worker = await hatchet.worker('patient', { workflows: [task], slots: tasks });
    void worker.start();
    await worker.waitUntilReady();
    const refs = await Promise.all(Array.from({ length: tasks }, (_, n) => task.runNoWait({ n })));
    await expect.poll(() => begun.length, { interval: 10 }).toBe(tasks);

    engine.child.kill('SIGSTOP');
    await delay(stopMs);
    engine.child.kill('SIGCONT');

    const results = await Promise.all(refs.map((ref) => ref.result()));
    expect(results).toEqual(refs.map((_, n) => ({ n })));
    expect(begun.toSorted((a, b) => a - b)).toEqual(Array.from({ length: tasks }, (_, n) => n));
    const events = await Promise.all(refs.map(async (ref) => (await hatchet.runs.get(await ref.runId)).taskEvents));
    const kinds = new Set<string>(events.flat().map(({ eventType }) => eventType));
    expect([...kinds].filter((kind) => ['REASSIGNED', 'TIMED_OUT', 'FAILED', 'CANCELLED'].includes(kind))).toEqual([]);
    await worker.stop();
  });
});
