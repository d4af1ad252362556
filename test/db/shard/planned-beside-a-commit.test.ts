import type { Client } from 'pg';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { faults } from '../../../engine/base/faults.ts';
import { CuttingProxy, type Cut } from '../../helpers/cutting-proxy.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';
import { forgiveFaults } from '../../helpers/no-faults.ts';
import { insertTenant, liveRows, OwnerWorld } from '../../helpers/owner-world.ts';
import { newTenantId } from '../../../engine/model/ids/tenant-id.ts';

const database = databaseFixture();
/** More than a transaction waits for before it is planned beside another. */
const many = 200;
let client: Client;
let proxy: CuttingProxy;
let url: string;
let world: OwnerWorld;

beforeAll(async () => {
  ({ client } = database);
  ({ proxy, url } = await CuttingProxy.start(database.url));
  // Refuses what the table of this name says, once for each of its rows.
  await client.query(`
    CREATE TABLE refusal (input text, sqlstate text);
    CREATE SEQUENCE refused;
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE code text;
    BEGIN
      SELECT sqlstate INTO code FROM refusal WHERE input = NEW.input AND (sqlstate = '22023' OR nextval('refused') = 1);
      IF FOUND THEN RAISE EXCEPTION 'refused' USING ERRCODE = code; END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON run FOR EACH ROW EXECUTE FUNCTION refuse();
  `);
});

afterAll(() => proxy.stop());

afterEach(async () => {
  await world.owner.stop();
  await client.query(`TRUNCATE refusal; SELECT setval('refused', 1, false)`);
});

async function start(): Promise<void> {
  world = await OwnerWorld.start(url);
  await world.put();
  await world.register(100_000);
  world.effects.length = 0;
}

/** A transaction of one run that is held before its COMMIT, and many runs that memory has already. */
async function planBeside(input = '{}'): Promise<{ first: Promise<string>; others: Promise<string>[] }> {
  proxy.hold();
  const first = world.trigger({ input });
  first.catch(() => undefined);
  await vi.waitFor(() => expect(proxy.isHolding).toBe(true));
  const others = Array.from({ length: many }, () => world.trigger());
  await vi.waitFor(() => expect(world.memory()).toHaveLength(1 + many));
  return { first, others };
}

/** Each was stored once and given to the worker once. */
async function expectOnce(runIds: readonly string[]): Promise<void> {
  const dispatched = world.effects.flatMap((effect) => (effect.kind === 'dispatch' ? [effect.taskId] : []));
  expect(dispatched.sort()).toEqual([...runIds].sort());
  const { rows } = await client.query<{ id: string }>('SELECT id FROM run WHERE tenant_id = $1 ORDER BY id', [
    world.tenantId,
  ]);
  expect(rows.map(({ id }) => id)).toEqual([...runIds].sort());
  expect(world.memory()).toHaveLength(runIds.length);
  expect(world.memory()).toEqual(await liveRows(client, world.tenantId));
}

it('nothing is let out of a transaction before the one that it was planned beside is stored', async () => {
  await start();
  const { first, others } = await planBeside();
  expect(world.effects).toEqual([]);
  expect(await liveRows(client, world.tenantId)).toEqual([]);
  proxy.release();
  const runIds = await Promise.all([first, ...others]);
  await expectOnce(runIds);
  expect(world.effects.find(({ kind }) => kind === 'dispatch')).toMatchObject({ taskId: await first });
  // And its tasks end as any others do.
  await Promise.all(runIds.map((taskId) => world.complete(taskId)));
  expect(world.memory()).toEqual([]);
  expect(await liveRows(client, world.tenantId)).toEqual([]);
});

it('one that Postgres cannot take now is tried again with what was planned beside it', async () => {
  await start();
  await client.query(`INSERT INTO refusal VALUES ('{"now":"not"}', '53200')`);
  const { first, others } = await planBeside('{"now":"not"}');
  proxy.release();
  await expectOnce(await Promise.all([first, ...others]));
});

it('a command that cannot be stored fails alone, and what was planned beside it is carried out', async () => {
  await start();
  const before = { ...faults };
  await client.query(`INSERT INTO refusal VALUES ('{"never":1}', '22023')`);
  const { first, others } = await planBeside('{"never":1}');
  proxy.release();
  await expect(first).rejects.toMatchObject({ code: 'COMMAND_FAILED' });
  forgiveFaults(before);
  await expectOnce(await Promise.all(others));
});

it.each<Cut>(['before', 'after'])(
  'a connection that is lost %s the COMMIT loses and doubles nothing of either transaction',
  async (cut) => {
    await start();
    const { first, others } = await planBeside();
    proxy.release(cut);
    await expectOnce(await Promise.all([first, ...others]));
  },
);

it('tasks whose end was planned beside a commit are there again where that end is not stored', async () => {
  await start();
  const runIds = await Promise.all(Array.from({ length: many }, () => world.trigger()));
  proxy.hold();
  const first = world.trigger();
  await vi.waitFor(() => expect(proxy.isHolding).toBe(true));
  const completed = runIds.map((taskId) => world.complete(taskId));
  await vi.waitFor(() => expect(world.memory()).toHaveLength(1));
  const release = proxy.takeHeld();
  proxy.hold();
  release();
  const firstId = await first; // it is let out while the other one waits for its COMMIT
  await vi.waitFor(() => expect(proxy.isHolding).toBe(true));
  expect(await liveRows(client, world.tenantId)).toHaveLength(1 + many);
  proxy.release('before');
  await Promise.all(completed);
  expect(world.memory().map((line) => line.split(' ')[0])).toEqual([firstId]);
  expect(world.memory()).toEqual(await liveRows(client, world.tenantId));
  const ended = world.effects.flatMap((effect) => (effect.kind === 'runEnded' ? [effect.runId] : []));
  expect(ended.sort()).toEqual([...runIds].sort());
});

it('a command that reads what is stored reads what the transaction before has stored', async () => {
  await start();
  const { tenantId, owner } = world;
  const runId = await world.trigger();
  proxy.hold();
  const completed = world.complete(runId);
  await vi.waitFor(() => expect(proxy.isHolding).toBe(true));
  const others = Array.from({ length: many }, () => world.trigger());
  // Its end is not stored yet, and only a run that has ended is replayed.
  const replayed = owner.submit({ kind: 'replay', tenantId, ids: [runId] });
  proxy.release();
  await Promise.all([completed, ...others]);
  expect(await replayed).toMatchObject({ replayed: [runId] });
});

it('none is planned beside another while other tenants are there, whose starts would wait for both', async () => {
  await start();
  const other = newTenantId();
  await insertTenant(database.url, other);
  await world.put(0, other);
  proxy.hold();
  const first = world.trigger();
  await vi.waitFor(() => expect(proxy.isHolding).toBe(true));
  const others = Array.from({ length: many }, () => world.trigger());
  const others2 = world.trigger({ tenantId: other });
  await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
  expect(world.memory()).toHaveLength(1);
  proxy.release();
  await Promise.all([first, ...others, others2]);
});
