import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { engineFixture } from '../helpers/engine-fixture.ts';

/** Several bulk calls. `FAN_OUT_CHILDREN=10000` for more. */
const children = Number(process.env['FAN_OUT_CHILDREN'] ?? 3_000);
const fixture = engineFixture('fan-out', { logLevel: 'error' });

describe('a fan-out', () => {
  it('spawns thousands of children in bulk, gathers their typed results, and spawns none twice when the parent runs again', async () => {
    const child = fixture.hatchet.task({
      name: 'child',
      executionTimeout: '5m',
      scheduleTimeout: '10m',
      fn: (input: { n: number }) => ({ square: input.n * input.n }),
    });
    let attempts = 0;
    const parent = fixture.hatchet.task({
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
    const worker = await fixture.hatchet.worker('fan-out', {
      handleKill: false,
      workflows: [child, parent],
      slots: 500,
    });
    const running = worker.start();
    await worker.waitUntilReady();
    try {
      const ref = await parent.runNoWait({ count: children });
      expect(await ref.output).toEqual({ sum: (children * (children - 1) * (2 * children - 1)) / 6 });
      expect(attempts).toBe(2);
      const client = new Client({ connectionString: fixture.database.url });
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
