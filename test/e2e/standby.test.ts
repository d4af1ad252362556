import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Hatchet } from '../../sdk/index.ts';
import { taskRequest, workflowRequest } from '../helpers/contract-worker.ts';
import { databaseFixture } from '../helpers/database-fixture.ts';
import { spawnEngine, type EngineChild } from '../helpers/engine-process.ts';
import { GrpcClients } from '../helpers/grpc-client.ts';
import { freePort } from '../helpers/free-port.ts';
import { isReady } from '../helpers/load-balancer.ts';
import { makeTempFolder } from '../helpers/temp-folder.ts';
import { quiet } from '../helpers/quiet-logger.ts';
import { partsOf, portOfDefaultTenant } from '../helpers/replica-parts.ts';

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

it('an engine takes over from one that was stopped in its tracks, which has its part again once it wakes up; and from one that was killed', async () => {
  const first = await start('first');
  const second = await start('second');
  await expect.poll(() => partsOf(database.url)).toEqual([32, 32]);
  expect([await isReady(first), await isReady(second)]).toEqual([true, true]);
  await serves(first);
  await serves(second);

  first.child.kill('SIGSTOP');
  await expect.poll(() => partsOf(database.url)).toEqual([64]);
  await serves(second);
  first.child.kill('SIGCONT');
  await expect.poll(() => partsOf(database.url)).toEqual([32, 32]);
  await serves(first);
  await serves(second);

  await second.end('SIGKILL');
  await expect.poll(() => partsOf(database.url)).toEqual([64]);
  await serves(first);
  await first.end('SIGTERM');
  expect(await partsOf(database.url)).toEqual([]);
});

it('a worker stays with its engine while that one loses its shards to another and gets them again', async () => {
  const first = await start('fourth');
  const hatchet = Hatchet.init({ token: first.ready.token, logger: () => quiet });
  const task = hatchet.task({ name: 'stay', fn: (input: { n: number }) => ({ n: input.n * 2 }) });
  const worker = await hatchet.worker('stayer', { workflows: [task] });
  const running = worker.start();
  await worker.waitUntilReady();
  expect(await task.run({ n: 1 })).toEqual({ n: 2 });
  const second = await start('fifth');
  await expect.poll(() => partsOf(database.url)).toEqual([32, 32]);

  first.child.kill('SIGSTOP');
  await expect.poll(() => partsOf(database.url)).toEqual([64]);
  first.child.kill('SIGCONT');
  expect(await task.run({ n: 2 })).toEqual({ n: 4 });
  await expect.poll(() => partsOf(database.url)).toEqual([32, 32]);
  expect(await task.run({ n: 3 })).toEqual({ n: 6 });

  await worker.stop();
  await running;
  hatchet.close();
  await first.end('SIGTERM');
  await second.end('SIGTERM');
});

it('calls that came while nobody had their shard go to the engine that takes it', async () => {
  const pair = [await start('sixth'), await start('seventh')];
  await expect.poll(() => partsOf(database.url)).toEqual([32, 32]);
  const port = await portOfDefaultTenant(database.url);
  const [leaving, staying] = pair[0]?.ready.grpc.port === port ? pair : pair.toReversed();
  if (leaving === undefined || staying === undefined) throw new Error('there are two engines');
  const clients = new GrpcClients(leaving.ready.grpc, leaving.ready.token);
  await clients.call(clients.admin, clients.admin.putWorkflow, workflowRequest('one', [taskRequest('only')]));
  staying.child.kill('SIGSTOP'); // nobody knows for as long as its lease is in force
  const gone = leaving.end('SIGTERM');
  await expect.poll(() => partsOf(database.url)).toEqual([32]);
  const trigger = {
    workflowName: 'one',
    input: Buffer.from('{}'),
    additionalMetadata: Buffer.from(''),
    desiredWorkerLabels: {},
  };
  const calls = Promise.all(
    Array.from({ length: 5 }, () => clients.call(clients.admin, clients.admin.triggerWorkflowRun, trigger)),
  );
  // They wait: the engine that stops has them, and not their shard.
  const meanwhile = await Promise.race([calls, delay(300, 'waiting')]);
  staying.child.kill('SIGCONT');
  const ids = (await calls).map(({ externalId }) => externalId);
  const { rows } = await database.client.query('SELECT FROM run WHERE id = ANY ($1)', [ids]);
  expect([meanwhile, rows.length]).toEqual(['waiting', 5]);
  clients.close();
  await gone;
  await staying.end('SIGTERM');
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
