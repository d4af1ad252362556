import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Hatchet, RateLimitDuration } from '../../sdk/index.ts';
import { databaseFixture } from '../helpers/database-fixture.ts';
import { spawnEngine, type EngineChild } from '../helpers/engine-process.ts';
import { randomFrom } from '../helpers/random.ts';
import { makeTempFolder } from '../helpers/temp-folder.ts';
import { spawnInTopology } from '../helpers/topology.ts';
import { quiet } from '../helpers/quiet-logger.ts';

const database = databaseFixture();
const folder = makeTempFolder('crash timers');
let engines: EngineChild[] = [];

beforeAll(() => writeFileSync(join(folder, 'secret.key'), randomBytes(32).toString('base64')));

afterAll(async () => {
  for (const engine of engines) await engine.end('SIGTERM');
  rmSync(folder, { recursive: true, force: true });
});

/** @param spawn of several engines, one */
async function start(
  name: string,
  ports: { grpc: number; http: number } = { grpc: 0, http: 0 },
  spawn = spawnInTopology,
): Promise<EngineChild> {
  const engine = await spawn({
    dataDir: join(folder, name),
    databaseUrl: database.url,
    secretKeyFile: join(folder, 'secret.key'),
    grpcPort: ports.grpc,
    httpPort: ports.http,
    logLevel: 'warn',
  });
  engines.push(engine);
  return engine;
}

async function kill(engine: EngineChild): Promise<void> {
  await engine.end('SIGKILL');
  engines = engines.filter((each) => each !== engine);
}

/** Of the tasks of a workflow: when each attempt was assigned, in microseconds, and the units that it took. */
async function grants(workflow: string): Promise<{ atUs: number; units: number }[]> {
  const { rows } = await database.client.query<{ seq: string; units: number }>(
    `SELECT h.seq, (r.input::jsonb ->> 'units')::integer AS units FROM history h JOIN run r ON r.id = h.task_id JOIN workflow w ON w.id = r.workflow_id
     WHERE w.name = $1 AND h.kinds LIKE '%A%' ORDER BY h.seq`,
    [workflow],
  );
  // A batch's numbers count up from its time, which is a whole millisecond.
  return rows.map(({ seq, units }) => ({ atUs: Math.floor(Number(seq) / 1000) * 1000, units }));
}

/** Units by window: the first grant after a window's end begins the next. */
function windows(all: readonly { atUs: number; units: number }[], lengthUs: number): number[] {
  const sums: number[] = [];
  let startUs = -Infinity;
  for (const { atUs, units } of all) {
    if (atUs >= startUs + lengthUs) {
      startUs = atUs;
      sums.push(0);
    }
    sums.push((sums.pop() ?? 0) + units);
  }
  return sums;
}

describe('time, over kill -9', () => {
  it('never grants more units than a window has', async () => {
    const seed = Number(process.env['SEED'] ?? 1_306);
    const random = randomFrom(seed);
    let engine = await start('limits');
    const ports = { grpc: engine.ready.grpc.port, http: engine.ready.http.port };
    const hatchet = Hatchet.init({ token: engine.ready.token, logger: () => quiet });
    await hatchet.ratelimits.upsert({ key: 'put', limit: 5, duration: RateLimitDuration.SECOND });
    const byKey = hatchet.task({
      name: 'by-key',
      retries: 1,
      rateLimits: [{ dynamicKey: '"tenant"', units: 'input.units', limit: 7, duration: RateLimitDuration.SECOND }],
      fn: (input: { units: number }) => ({ used: input.units }),
    });
    const byName = hatchet.task({
      name: 'by-name',
      rateLimits: [{ staticKey: 'put', units: 1 }],
      fn: (input: { units: number }) => ({ used: input.units }),
    });
    const worker = await hatchet.worker('limited', { handleKill: false, workflows: [byKey, byName] });
    const running = worker.start();
    await worker.waitUntilReady();
    const wanted = Array.from({ length: 40 }, () => 1 + Math.floor(random() * 3));
    await byKey.runNoWait(wanted.map((units) => ({ units })));
    await byName.runNoWait(wanted.map(() => ({ units: 1 })));
    let kills = 0;
    for (let left = -1; left !== 0;) {
      await delay(Math.floor(random() * 1500)); // the random point at which the axe falls
      if (kills < 5) {
        await kill(engine);
        engine = await start('limits', ports);
        kills++;
      }
      const { rows } = await database.client.query<{ n: number }>('SELECT count(*)::integer AS n FROM live');
      left = rows[0]?.n ?? -1;
    }
    await worker.stop();
    await running;
    hatchet.close();
    await engine.end('SIGTERM');
    engines = [];
    const [dynamic, fixed] = [await grants('by-key'), await grants('by-name')];
    const sums = { dynamic: windows(dynamic, 1_000_000), fixed: windows(fixed, 1_000_000) };
    process.stdout.write(
      `rate limits: seed ${seed}, ${kills} kills, units by window ${sums.dynamic.join(' ')} of 7, ${sums.fixed.join(' ')} of 5\n`,
    );
    expect(Math.max(...sums.dynamic)).toBeLessThanOrEqual(7);
    expect(Math.max(...sums.fixed)).toBeLessThanOrEqual(5);
    expect(dynamic.reduce((sum, { units }) => sum + units, 0)).toBeGreaterThanOrEqual(
      wanted.reduce((sum, units) => sum + units, 0),
    );
    const { rows } = await database.client.query<{ ended: number; results: number }>(
      `SELECT count(*)::integer AS results, count(DISTINCT task_id)::integer AS ended FROM result WHERE status = 3`,
    );
    expect(rows[0]).toEqual({ ended: 80, results: 80 });
  });

  it('fires each tick of a cron once, while two engines run on one database', async () => {
    const alone = (name: string, ports?: { grpc: number; http: number }): Promise<EngineChild> =>
      start(name, ports, spawnEngine);
    const first = await alone('one');
    const second = await alone('two');
    const hatchet = Hatchet.init({ token: first.ready.token, logger: () => quiet });
    const ticking = hatchet.task({ name: 'ticking', onCrons: ['* * * * * *'], fn: () => ({}) });
    const worker = await hatchet.worker('ticking', { handleKill: false, workflows: [ticking] });
    const running = worker.start();
    await worker.waitUntilReady();
    const ticks = async (): Promise<number[]> => {
      const { rows } = await database.client.query<{ tick: string }>(
        `SELECT r.metadata::jsonb ->> 'hatchet__cron_scheduled_at' AS tick FROM run r JOIN workflow w ON w.id = r.workflow_id WHERE w.name = 'ticking' ORDER BY 1`,
      );
      return rows.map(({ tick }) => Date.parse(tick) / 1000);
    };
    await expect.poll(async () => (await ticks()).length, { timeout: 30_000 }).toBeGreaterThanOrEqual(3);
    await kill(first);
    const killedAfter = (await ticks()).length;
    await expect.poll(async () => (await ticks()).length, { timeout: 30_000 }).toBeGreaterThanOrEqual(killedAfter + 4);
    const third = await alone('one', { grpc: first.ready.grpc.port, http: first.ready.http.port });
    const before = (await ticks()).length;
    await kill(second);
    await expect.poll(async () => (await ticks()).length, { timeout: 30_000 }).toBeGreaterThanOrEqual(before + 3);
    const all = await ticks();
    process.stdout.write(`crons: ${all.length} ticks over two take-overs, ${new Set(all).size} of them different\n`);
    expect(all).toEqual(all.map((_, index) => (all[0] ?? 0) + index));
    await worker.stop();
    await running;
    hatchet.close();
    await third.end('SIGTERM');
    engines = [];
  });
});
