import type { Client, Pool } from 'pg';
import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import { createLog } from '../../../engine/base/log.ts';
import { HeartbeatWriter } from '../../../engine/writers/heartbeat-writer.ts';
import { OwnerWorld } from '../../helpers/owner-world.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';

const database = databaseFixture();
let client: Client;
let pool: Pool;

beforeAll(() => void ({ client, pool } = database));

afterEach(() => vi.useRealTimers());

it("stores heartbeats by Postgres's time, of those that came since it last did", async () => {
  const world = await OwnerWorld.start(database.url);
  const [heard, silent] = [await world.register(), await world.register()];
  await world.owner.stop();
  await client.query(`UPDATE worker SET last_heartbeat_at = now() - interval '1 hour'`);
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'], now: 0 });
  const asked: number[] = [];
  const writer = new HeartbeatWriter(pool, createLog('silent'), (ms) => {
    asked.push(ms);
    return [{ workerId: heard, agoMs: 2_500 }];
  });
  vi.advanceTimersByTime(10_000);
  vi.useRealTimers();
  const agoOf = async (id: string): Promise<number> =>
    (
      await client.query<{ ms: number }>(
        'SELECT extract(epoch FROM clock_timestamp() - last_heartbeat_at)::float8 * 1000 AS ms FROM worker WHERE id = $1',
        [id],
      )
    ).rows[0]?.ms ?? 0;
  await expect.poll(() => agoOf(heard), { interval: 10 }).toBeLessThan(3_500_000);
  expect(await agoOf(heard)).toBeGreaterThanOrEqual(2_500);
  expect(await agoOf(silent)).toBeGreaterThan(3_599_000);
  expect(asked).toEqual([11_000]);
  writer.stop();
});
