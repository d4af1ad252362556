import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningEngine } from '../../engine/base/engine-options.ts';
import { startEngine } from '../../engine/index.ts';
import { Hatchet } from '../../sdk/index.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/test-database.ts';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
/** Several bulk calls. `FAN_OUT_CHILDREN=10000` for more. */
const children = Number(process.env['FAN_OUT_CHILDREN'] ?? 3_000);
let dataDir: string;
let database: TestDatabase;
let engine: RunningEngine;
let hatchet: Hatchet;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'hatchet-fan-out-'));
  database = await createTestDatabase();
  engine = await startEngine({ databaseUrl: database.url, dataDir, grpcPort: 0, httpPort: 0, logLevel: 'error' });
  hatchet = Hatchet.init({ token: engine.token, logger: () => quiet });
});

afterAll(async () => {
  hatchet.close();
  await engine.stop();
  await database.drop();
  rmSync(dataDir, { recursive: true });
});

describe('a fan-out', () => {
  it('spawns thousands of children in bulk, gathers their typed results, and spawns none twice when the parent runs again', async () => {
    const child = hatchet.task({
      name: 'child',
      executionTimeout: '5m',
      scheduleTimeout: '10m',
      fn: (input: { n: number }) => ({ square: input.n * input.n }),
    });
    let attempts = 0;
    const parent = hatchet.task({
      name: 'parent',
      executionTimeout: '10m',
      retries: 1,
      fn: async (input: { count: number }, ctx) => {
        attempts++;
        const squares = await ctx.bulkRunChildren(
          Array.from({ length: input.count }, (_, n) => ({ workflow: child, input: { n } })),
        );
        if (attempts === 1) throw new Error('once more, with the same children');
        return { sum: squares.reduce((sum, { square }) => sum + square, 0) };
      },
    });
    const worker = await hatchet.worker('fan-out', { handleKill: false, workflows: [child, parent], slots: 500 });
    const running = worker.start();
    await worker.waitUntilReady();
    try {
      const ref = await parent.runNoWait({ count: children });
      expect(await ref.output).toEqual({ sum: (children * (children - 1) * (2 * children - 1)) / 6 });
      expect(attempts).toBe(2);
      const client = new Client({ connectionString: database.url });
      await client.connect();
      const { rows } = await client.query<{ runs: number; results: number; indices: number }>(
        `SELECT count(DISTINCT r.id)::integer AS runs, count(x.task_id)::integer AS results, count(DISTINCT r.child_index)::integer AS indices
         FROM run r JOIN result x ON x.task_id = r.id WHERE r.parent_task_id = $1`,
        [await ref.runId],
      );
      await client.end();
      expect(rows[0]).toEqual({ runs: children, results: children, indices: children });
    } finally {
      await worker.stop();
      await running;
    }
  });
});
