import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Hatchet } from '../../sdk/index.ts';
import { databaseFixture } from '../helpers/database-fixture.ts';
import { spawnEngine, type EngineChild } from '../helpers/engine-process.ts';
import { freePort } from '../helpers/free-port.ts';
import { makeTempFolder } from '../helpers/temp-folder.ts';
import { quiet } from '../helpers/quiet-logger.ts';

const database = databaseFixture();
const folder = makeTempFolder('standby');
const engines: EngineChild[] = [];

beforeAll(() => writeFileSync(join(folder, 'secret.key'), randomBytes(32).toString('base64')));

afterAll(async () => {
  for (const engine of engines) await engine.end('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

async function start(name: string, httpPort = 0): Promise<EngineChild> {
  const engine = await spawnEngine({
    dataDir: join(folder, name),
    databaseUrl: database.url,
    secretKeyFile: join(folder, 'secret.key'),
    grpcPort: 0,
    httpPort,
    logLevel: 'info',
  });
  engines.push(engine);
  return engine;
}

async function isReady({ ready: { http } }: EngineChild): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${http.port}/api/ready`)).ok;
}

/** Starts a run there, and waits for what its task returns. */
async function serves(engine: EngineChild): Promise<void> {
  const hatchet = Hatchet.init({ token: engine.ready.token, logger: () => quiet });
  const task = hatchet.task({ name: 'double', fn: (input: { n: number }) => ({ n: input.n * 2 }) });
  const worker = await hatchet.worker('worker', { workflows: [task] });
  const running = worker.start();
  await worker.waitUntilReady();
  expect(await task.run({ n: 4 })).toEqual({ n: 8 });
  await worker.stop();
  await running;
  hatchet.close();
}

async function epochs(): Promise<number> {
  const { rows } = await database.client.query<{ sum: string }>('SELECT sum(epoch) AS sum FROM shard');
  return Number(rows[0]?.sum);
}

it('the standby takes over from an engine that was stopped in its tracks; that one wakes up as the standby, and takes over from one that was killed', async () => {
  const first = await start('first');
  const second = await start('second');
  expect([await isReady(first), await isReady(second)]).toEqual([true, false]);
  await serves(first);

  const before = await epochs();
  first.child.kill('SIGSTOP');
  await expect.poll(() => isReady(second)).toBe(true);
  first.child.kill('SIGCONT');
  // It finds out by its lease, without a command, and takes nothing back.
  await expect.poll(() => isReady(first)).toBe(false);
  await serves(second);
  expect(await epochs()).toBe(before + 64);

  await second.end('SIGKILL');
  await expect.poll(() => isReady(first)).toBe(true);
  await serves(first);
  expect(await epochs()).toBe(before + 128);
  await first.end('SIGTERM');
  const { rows } = await database.client.query('SELECT FROM shard WHERE owner IS NOT NULL');
  expect(rows).toEqual([]);
});

/** As a load balancer in front of engines: a connection stays where it was made, and a new one goes to whoever is ready now. */
async function balance(ready: () => EngineChild): Promise<{ server: Server; port: number }> {
  const server = createServer((client) => {
    const engine = createConnection({ host: '127.0.0.1', port: ready().ready.grpc.port });
    for (const [from, to] of [
      [client, engine],
      [engine, client],
    ] as const) {
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { server, port: typeof address === 'object' && address !== null ? address.port : 0 };
}

it('a worker behind a load balancer follows the work to the engine that has taken it over, while the old one lives on', async () => {
  const first = await start('fourth');
  const second = await start('fifth');
  let ready = first;
  const { server, port } = await balance(() => ready);
  const hatchet = Hatchet.init({
    token: first.ready.token,
    hostPort: `127.0.0.1:${port}`,
    logger: () => quiet,
  });
  const task = hatchet.task({ name: 'follow', fn: (input: { n: number }) => ({ n: input.n * 2 }) });
  const worker = await hatchet.worker('follower', { workflows: [task] });
  const running = worker.start();
  await worker.waitUntilReady();
  expect(await task.run({ n: 1 })).toEqual({ n: 2 });

  first.child.kill('SIGSTOP');
  await expect.poll(() => isReady(second)).toBe(true);
  ready = second;
  first.child.kill('SIGCONT');
  await expect.poll(() => isReady(first)).toBe(false);
  expect(await task.run({ n: 2 })).toEqual({ n: 4 });

  await worker.stop();
  await running;
  hatchet.close();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  await first.end('SIGTERM');
  await second.end('SIGTERM');
});

it('answers while what it takes over is read, and calls wait for it', async () => {
  await database.client.query('BEGIN');
  await database.client.query('LOCK TABLE durable_entry IN ACCESS EXCLUSIVE MODE'); // read for each shard that holds anything
  const port = await freePort();
  const starting = start('third', port);
  const alive = async (): Promise<boolean> =>
    (await fetch(`http://127.0.0.1:${port}/api/live`).catch(() => undefined))?.ok === true;
  await expect.poll(alive).toBe(true);
  const { rows } = await database.client.query('SELECT FROM shard WHERE absent_since IS NOT NULL');
  expect(rows.length).toBeGreaterThan(0);
  await database.client.query('ROLLBACK');
  const third = await starting;
  await serves(third);
  await third.end('SIGTERM');
});
