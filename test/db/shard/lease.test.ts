import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { shardCount, shardOf } from '../../../engine/model/ids/shard-of.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { acquireShards, giveShardsBack, lookForShards } from '../../../engine/shard/ownership/lease.ts';
import { insertTenant, OwnerWorld } from '../../helpers/owner-world.ts';
import { RivalOwner } from '../../helpers/rival-owner.ts';
import { createTestDatabase, type TestDatabase } from '../../helpers/test-database.ts';

let database: TestDatabase;
let client: Client;
const worlds: OwnerWorld[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
});

afterEach(async () => {
  await client.query('ROLLBACK');
  await Promise.all(worlds.splice(0).map((world) => world.owner.stop()));
  await client.end();
  await database.drop();
});

async function begin(options: { tenantId?: string } = {}): Promise<OwnerWorld> {
  const world = await OwnerWorld.make(database.url, options);
  worlds.push(world);
  return world;
}

async function start(options: { tenantId?: string } = {}): Promise<OwnerWorld> {
  const world = await begin(options);
  await world.owner.start();
  return world;
}

/** Longer than the lease of 5 s is in force without a renewal, by Postgres's clock; the standby has had several looks. */
async function outlastTheLease(): Promise<void> {
  const since = (await client.query<{ at: string }>('SELECT clock_timestamp()::text AS at')).rows[0]?.at;
  const isOver = async (): Promise<boolean> =>
    (
      await client.query<{ over: boolean }>(`SELECT clock_timestamp() > $1::timestamptz + interval '8 s' AS over`, [
        since,
      ])
    ).rows[0]?.over === true;
  await expect.poll(isOver, { interval: 200 }).toBe(true);
}

/** A tenant of another shard. */
async function stranger(of: OwnerWorld): Promise<string> {
  for (;;) {
    const tenantId = newId();
    if (shardOf(tenantId) === shardOf(of.tenantId)) continue;
    await insertTenant(database.url, tenantId);
    await of.put(0, tenantId);
    return tenantId;
  }
}

describe('the lease', () => {
  it('is kept while a transaction waits for a lock', async () => {
    const first = await start();
    await first.put();
    const standby = await start({ tenantId: first.tenantId });
    await client.query('BEGIN');
    await client.query('LOCK TABLE run IN ACCESS EXCLUSIVE MODE');
    const trigger = first.trigger();
    await outlastTheLease();
    expect(standby.shards).toBe(0);
    expect(first.shards).toBe(shardCount);
    await client.query('ROLLBACK');
    await trigger;
  });

  it('is kept while what commands need is read', async () => {
    const first = await start();
    await first.put();
    const standby = await start({ tenantId: first.tenantId });
    await client.query('BEGIN');
    await client.query('LOCK TABLE run IN ACCESS EXCLUSIVE MODE');
    const trigger = first.trigger({ runId: newId() }); // an id of the caller's is looked for
    await outlastTheLease();
    expect(standby.shards).toBe(0);
    await client.query('ROLLBACK');
    await trigger;
  });

  it('is kept while shards are recovered, however long that takes', async () => {
    const before = await start();
    await before.put();
    const runId = await before.trigger();
    await before.owner.stop();
    await client.query('BEGIN');
    await client.query('LOCK TABLE live IN ACCESS EXCLUSIVE MODE');
    const first = await begin({ tenantId: before.tenantId });
    const started = first.owner.start();
    const owned = async (): Promise<string | undefined> =>
      (await client.query<{ n: string }>('SELECT count(*) AS n FROM shard WHERE owner IS NOT NULL')).rows[0]?.n;
    await expect.poll(owned).toBe(String(shardCount));
    const epochs = async (): Promise<string[]> =>
      (await client.query<{ epoch: string }>('SELECT epoch FROM shard ORDER BY id')).rows.map((row) => row.epoch);
    const acquired = await epochs();
    const standby = await begin({ tenantId: before.tenantId });
    const stands = standby.owner.start();
    await outlastTheLease();
    expect(await epochs()).toEqual(acquired);
    await client.query('ROLLBACK');
    await Promise.all([started, stands]);
    expect(standby.shards).toBe(0);
    expect(first.memory()).toHaveLength(1);
    expect(first.memory()[0]).toContain(runId);
  });

  it('means nothing once no connection of its process is left', async () => {
    const rival = await RivalOwner.connect(database.url);
    await rival.take();
    const standby = await start();
    expect(standby.shards).toBe(0);
    await rival.vanish(); // its lease is in force for an hour
    await expect.poll(() => standby.shards).toBe(shardCount);
  });

  it('is that of a process, which lives while any of its connections is there, and is looked at twice', async () => {
    const rival = await RivalOwner.connect(database.url);
    await rival.take();
    const owner = newId();
    const wanted = Array.from({ length: shardCount }, (_, id) => id);
    const look = async (): Promise<string[]> => (await lookForShards(client, { owner, wanted })).gone;
    const acquire = async (gone: string[]): Promise<number> =>
      (await acquireShards(client, { owner, wanted, gone })).length;
    const name = `hatchet lane ${rival.id}`;
    const lane = new Client({ connectionString: database.url, application_name: name });
    await lane.connect();
    await rival.vanish();
    const leases = async (): Promise<number> =>
      (await client.query(`SELECT FROM pg_stat_activity WHERE application_name LIKE 'hatchet lease %'`)).rows.length;
    await expect.poll(leases).toBe(0);
    expect(await look()).toEqual([]);
    await lane.end();
    await expect.poll(look).toEqual([rival.id]);
    // Nobody has looked twice; and by the second look it may be back.
    expect(await acquire([])).toBe(0);
    const back = new Client({ connectionString: database.url, application_name: name });
    await back.connect();
    expect(await acquire([rival.id])).toBe(0);
    await back.end();
    await expect.poll(() => acquire([rival.id])).toBe(shardCount);
    await giveShardsBack(client, owner, wanted);
  });

  it.each(['lane', 'lease', '%'])('survives the loss of connections of its process: %s', async (which) => {
    const first = await start();
    await first.put();
    const standby = await start({ tenantId: first.tenantId });
    const { rows } = await client.query<{ owner: string }>('SELECT DISTINCT owner FROM shard');
    expect(rows).toHaveLength(1);
    await client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'hatchet ' || $1 || ' ' || $2`,
      [which, rows[0]?.owner],
    );
    await first.trigger();
    await outlastTheLease();
    expect(standby.shards).toBe(0);
    expect(first.shards).toBe(shardCount);
    await first.trigger();
  });
});

describe('a shard that is lost', () => {
  it('loses itself alone: what was planned with it is carried out', async () => {
    const world = await start();
    await world.put();
    const other = await stranger(world);
    const memory = world.owner.stateOf(other);
    const rival = await RivalOwner.connect(database.url);
    await rival.take([shardOf(world.tenantId)]);
    let isAnswered = false;
    const late = world.trigger().then(() => (isAnswered = true));
    const runs = await Promise.all(Array.from({ length: 20 }, () => world.trigger({ tenantId: other })));
    const { rows } = await client.query('SELECT FROM run WHERE tenant_id = $1', [other]);
    expect(rows).toHaveLength(runs.length);
    expect(world.shards).toBe(shardCount - 1);
    expect(isAnswered).toBe(false);
    expect(world.owner.stateOf(other) === memory).toBe(true);
    await rival.leave();
    await late;
    expect(world.shards).toBe(shardCount);
  });

  it('is noticed without a command', async () => {
    const world = await start();
    const memory = new Set(world.owner.states);
    const rival = await RivalOwner.connect(database.url);
    await rival.take([3, 5]);
    await expect.poll(() => world.shards).toBe(shardCount - 2);
    expect([...world.owner.states].every((state) => memory.has(state))).toBe(true);
    await rival.leave();
    await expect.poll(() => world.shards).toBe(shardCount);
  });
});

describe('a shard that is recovered slowly', () => {
  it('is given back by a stop in the middle of it', async () => {
    const before = await start();
    await before.put();
    await before.trigger();
    await before.owner.stop();
    await client.query('BEGIN');
    await client.query('LOCK TABLE durable_entry IN ACCESS EXCLUSIVE MODE');
    const world = await begin({ tenantId: before.tenantId });
    const started = world.owner.start();
    await expect.poll(() => world.shards).toBe(shardCount - 1);
    await world.owner.stop();
    await started;
    const { rows } = await client.query('SELECT FROM shard WHERE owner IS NOT NULL');
    expect(rows).toEqual([]);
  });

  it('holds up no other', async () => {
    const before = await start();
    await before.put();
    await before.trigger();
    const second = await stranger(before);
    await before.owner.stop();
    await client.query('BEGIN');
    // Read for shards that have something to recover.
    await client.query('LOCK TABLE durable_entry IN ACCESS EXCLUSIVE MODE');
    const world = await begin({ tenantId: before.tenantId });
    const started = world.owner.start();
    await expect.poll(() => world.shards).toBe(shardCount - 2);
    expect(world.owner.stateOf(second)).toBeUndefined();
    let empty = newId();
    while ([before.tenantId, second].map(shardOf).includes(shardOf(empty))) empty = newId();
    await insertTenant(database.url, empty);
    await world.put(0, empty);
    await world.trigger({ tenantId: empty });
    await client.query('ROLLBACK');
    await started;
    expect(world.shards).toBe(shardCount);
    expect(world.memory()).toHaveLength(1);
  });
});
