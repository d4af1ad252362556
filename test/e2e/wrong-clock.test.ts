import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { Hatchet } from '../../sdk/index.ts';
import { databaseFixture } from '../helpers/database-fixture.ts';
import { packageRoot, type EngineChild } from '../helpers/engine-process.ts';
import { makeTempFolder } from '../helpers/temp-folder.ts';
import { spawnInTopology } from '../helpers/topology.ts';
import { quiet } from '../helpers/quiet-logger.ts';

const hourMs = 3_600_000;
const dueInMs = 3_000;

const database = databaseFixture();
const folder = makeTempFolder('wrong-clock');

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** An engine whose machine's clock is ahead. */
function boot(aheadMs: number): Promise<EngineChild> {
  const preload = `${pathToFileURL(join(packageRoot, 'test/fixtures/wrong-clock/preload.mjs')).href}?aheadMs=${aheadMs}`;
  return spawnInTopology({ databaseUrl: database.url, dataDir: folder, grpcPort: 0, httpPort: 0, logLevel: 'warn' }, [
    '--import',
    preload,
  ]);
}

/** What waits for a time: a scheduled run, a sleep, and a retry's back-off. Resolves once all have come. */
async function live(engine: EngineChild): Promise<void> {
  const hatchet = Hatchet.init({ token: engine.ready.token, logger: () => quiet });
  const begun: number[] = [];
  const scheduled = hatchet.task({
    name: 'scheduled',
    fn: async () => {
      begun.push(Date.now());
      return {};
    },
  });
  const sleeper = hatchet.durableTask({
    name: 'sleeper',
    fn: async (_, ctx) => {
      const from = Date.now();
      await ctx.sleepFor('1s');
      return { sleptMs: Date.now() - from };
    },
  });
  const second = hatchet.task({
    name: 'second',
    retries: 1,
    backoff: { factor: 2, maxSeconds: 2 },
    fn: async (_, ctx) => {
      if (ctx.retryCount() === 0) throw new Error('once more');
      return { attempts: ctx.retryCount() + 1 };
    },
  });
  const worker = await hatchet.worker('w', { workflows: [scheduled, sleeper, second], slots: 10 });
  void worker.start();
  await worker.waitUntilReady();
  const dueMs = Date.now() + dueInMs;
  await scheduled.schedule(new Date(dueMs), {});
  const [slept, retried] = await Promise.all([sleeper.run({}), second.run({})]);
  expect(slept.sleptMs).toBeGreaterThan(900);
  expect(retried).toEqual({ attempts: 2 });
  await expect.poll(() => begun.length, { timeout: 20_000, interval: 20 }).toBe(1);
  // Tasks run in this process, by the right clock.
  expect(begun[0]).toBeGreaterThan(dueMs - 500);
  await worker.stop();
  hatchet.close();
}

describe('an engine on a machine whose clock is wrong', () => {
  it('fires timers when they are due: an hour ahead, right again after a restart, and an hour behind', async () => {
    for (const aheadMs of [hourMs, 0, -hourMs]) {
      const engine = await boot(aheadMs);
      try {
        await live(engine);
        expect(engine.log().includes('clock and this machine')).toBe(aheadMs !== 0);
      } finally {
        await engine.end('SIGTERM');
      }
    }
  });
});
