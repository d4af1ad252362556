import { describe, expect, it, vi } from 'vitest';
import type { Hatchet } from '../../sdk/index.ts';
import { engineProcessFixture } from '../helpers/engine-fixture.ts';
import { makeNeighbour } from '../helpers/neighbour.ts';
import { clientOf, untilPurged } from '../helpers/purged-tenant.ts';
import { idsOf, rowsWith } from '../helpers/tenant-rows.ts';

describe('a purge that is interrupted', () => {
  const fixture = engineProcessFixture('purge-kill', {}, { postgres: 'shared' });

  async function queue(hatchet: Hatchet, amount: number): Promise<void> {
    const single = hatchet.task({ name: 'single', fn: () => ({}) });
    const worker = await hatchet.worker('short', { workflows: [single], handleKill: false });
    const running = worker.start();
    await worker.waitUntilReady();
    await worker.stop();
    await running;
    for (let made = 0; made < amount; made += 1_000) await single.runNoWait(Array.from({ length: 1_000 }, () => ({})));
  }

  const count = async (sql: string, tenantId: string): Promise<number> =>
    (await fixture.database.pool.query<{ count: number }>(sql, [tenantId])).rows[0]?.count ?? 0;

  it('by kill -9, again and again, goes on with the next engine', async () => {
    const { pool } = fixture.database;
    const { tenantId, token } = await makeNeighbour(pool, fixture.dataDir);
    const { ready } = fixture.engine;
    const [going, staying] = [clientOf(ready, token), clientOf(ready, ready.token)];
    await queue(going, 8_000);
    await queue(staying, 1_000);
    const goingIds = await idsOf(pool, tenantId);
    const stayingIds = await idsOf(pool, staying.tenantId);
    const before = await rowsWith(pool, stayingIds);
    going.close();
    staying.close();
    await fixture.engine.end('SIGKILL');
    // Long ago, so that its rows go at once.
    await pool.query(`UPDATE tenant SET deleted_at = now() - interval '1 hour' WHERE id = $1`, [tenantId]);

    const live = 'SELECT count(*)::int FROM live WHERE tenant_id = $1';
    const runs = 'SELECT count(*)::int FROM run WHERE tenant_id = $1';
    const seen: string[] = [];
    for (const [sql, part] of [
      [live, 0.7],
      [live, 0.3],
      [runs, 0.8],
      [runs, 0.5],
      [runs, 0.2],
    ] as const) {
      const starting = fixture.startAgain();
      while ((await count(sql, tenantId)) > 8_000 * part) await new Promise((resolve) => setImmediate(resolve));
      await starting;
      const left = await count(sql, tenantId);
      if (left > 0) seen.push(sql);
      await fixture.engine.end('SIGKILL');
    }
    // It did strike while something was left, both of what memory held and of the rows.
    expect(new Set(seen)).toEqual(new Set([live, runs]));
    await fixture.startAgain();
    await vi.waitFor(
      async () => expect([...(await rowsWith(pool, goingIds)).keys()]).toEqual(['audit_line']),
      untilPurged,
    );
    const after = await rowsWith(pool, stayingIds);
    for (const [table, rows] of before)
      expect([table, after.get(table)?.filter((row) => rows.includes(row)).length]).toEqual([table, rows.length]);
  });
});
