import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/index.js';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Hatchet } from '../../sdk/index.ts';
import { databaseFixture } from '../helpers/database-fixture.ts';
import { ended, packageRoot, spawnEngine, type EngineChild } from '../helpers/engine-process.ts';
import { Load } from '../helpers/load.ts';
import { LoadBalancer } from '../helpers/load-balancer.ts';
import { quiet } from '../helpers/quiet-logger.ts';
import { partsOf } from '../helpers/replica-parts.ts';
import { makeTempFolder } from '../helpers/temp-folder.ts';

const database = databaseFixture();
const folder = makeTempFolder('replicas');
const secretKeyFile = join(folder, 'secret.key');
const engines: EngineChild[] = [];
const clients: Hatchet[] = [];
const programs: ChildProcess[] = [];
let balancer: LoadBalancer;

function start(place: number): Promise<EngineChild> {
  return spawnEngine({
    logLevel: 'info',
    dataDir: join(folder, String(place)),
    databaseUrl: database.url,
    secretKeyFile,
    grpcPort: 0,
    httpPort: 0,
  });
}

function clientOf({ ready }: EngineChild, { host, port } = ready.grpc): Hatchet {
  const apiUrl = `http://${ready.http.host}:${ready.http.port}`;
  const client = Hatchet.init({ token: ready.token, hostPort: `${host}:${port}`, apiUrl, logger: () => quiet });
  clients.push(client);
  return client;
}

function double(client: Hatchet) {
  return client.task({ name: 'double', fn: ({ n }: { n: number }) => ({ doubled: 2 * n, startedAt: Date.now() }) });
}

/** A worker until the test ends. */
async function serve(client: Hatchet, name: string): Promise<void> {
  const worker = await client.worker(name, { handleKill: false, slots: 50, workflows: [double(client)] });
  const running = worker.start();
  onTestFinished(() => worker.stop().then(() => running));
  await worker.waitUntilReady();
}

async function areEven(): Promise<void> {
  await expect.poll(() => partsOf(database.url), { timeout: 30_000 }).toEqual([20, 22, 22]);
}

beforeAll(async () => {
  writeFileSync(secretKeyFile, randomBytes(32).toString('base64'));
  engines.push(await start(0));
  engines.push(...(await Promise.all([start(1), start(2)])));
  balancer = await LoadBalancer.start(() => engines);
});

afterAll(async () => {
  for (const program of programs) program.kill('SIGTERM');
  await Promise.all(programs.map(ended));
  for (const client of clients) client.close();
  await balancer.stop();
  await Promise.all(engines.map((engine) => engine.end('SIGTERM')));
  rmSync(folder, { recursive: true, force: true });
});

/** What so much of all is at most. */
function part(all: readonly number[], share: number): number | undefined {
  return all.toSorted((a, b) => a - b)[Math.ceil(all.length * share) - 1];
}

describe('three engines on one database', () => {
  it('share the shards evenly', areEven);

  it('each take every call and every worker', async () => {
    const each = engines.map((engine) => clientOf(engine));
    await Promise.all(each.slice(0, 2).map((client, index) => serve(client, `worker ${index}`)));
    const answers = await Promise.all(
      each.flatMap((client) => {
        const task = double(client);
        return Array.from({ length: 20 }, async (_, n) => (await task.run({ n })).doubled === 2 * n);
      }),
    );
    expect(answers).toEqual(answers.map(() => true));
    for (const client of each) expect((await client.workers.list()).rows?.length).toBe(2);
  });

  it('are restarted one after the other under load, and no client notices', async () => {
    const [first] = engines;
    if (first === undefined) throw new Error('there is no engine');
    const address = { host: '127.0.0.1', port: balancer.port };
    const ours = clientOf(first, address);
    await serve(ours, 'behind the balancer');
    const env = {
      HATCHET_CLIENT_TOKEN: first.ready.token,
      HATCHET_CLIENT_HOST_PORT: `${address.host}:${address.port}`,
      HATCHET_CLIENT_TLS_STRATEGY: 'none',
      HATCHET_CLIENT_LOG_LEVEL: 'ERROR',
    };
    const file = join(packageRoot, 'test/fixtures/published-sdk/worker.mjs');
    programs.push(
      spawn(process.execPath, [file], { cwd: packageRoot, stdio: 'ignore', env: { ...process.env, ...env } }),
    );
    Object.assign(process.env, env);
    const published = HatchetClient.init();
    await vi.waitFor(() => published.run('lower', { message: 'A' }, {}), { timeout: 30_000 });

    const task = double(ours);
    const startsMs: number[] = [];
    const loads = [
      new Load(20, async (n) => {
        const triggeredAt = Date.now();
        const { doubled, startedAt } = await task.run({ n });
        expect(doubled).toBe(2 * n);
        startsMs.push(startedAt - triggeredAt);
      }),
      new Load(50, (n) => published.runNoWait('lower', { message: `M${n}` }, {})),
      new Load(100, async (n) =>
        expect(await published.run('lower', { message: `N${n}` }, {})).toEqual({ lower: { message: `n${n}` } }),
      ),
    ];
    for (const [place, engine] of [...engines].entries()) {
      await engine.end('SIGTERM');
      engines[place] = await start(place);
      await areEven();
      await delay(1_000); // some load before the next one goes
    }
    const calls = await Promise.all(loads.map((load) => load.end()));
    const longest = loads.map(({ tookMs }) => Math.round(Math.max(...tookMs)));
    console.log(
      `rolling restart: ${calls.join(', ')} calls, the longest took ${longest.join(', ')} ms; ${startsMs.length} tasks of ours started after ${part(startsMs, 0.5)} ms at the median, ${part(startsMs, 0.99)} at p99`,
    );
    expect(loads.map(({ failures }) => failures)).toEqual([[], [], []]);
    await expect
      .poll(async () => (await database.client.query('SELECT FROM live')).rows.length, { timeout: 30_000 })
      .toBe(0);
  });
});
