import { Client } from 'pg';
import { describe, test, vi } from 'vitest';
import { shardCount, shardOf } from '../../../engine/model/ids/shard-of.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { renewLease } from '../../../engine/shard/ownership/process-lease.ts';
import { acquireShards } from '../../../engine/shard/ownership/acquire-shards.ts';
import { giveShardsBack } from '../../../engine/shard/ownership/owned-shards.ts';
import { insertTenant, OwnerWorld } from '../../helpers/owner-world.ts';
import { RivalOwner } from '../../helpers/rival-owner.ts';
import { createTestDatabase, type TestDatabase } from '../../helpers/test-database.ts';
import { newTenantId, type TenantId } from '../../../engine/model/ids/tenant-id.ts';

/** A database of its own for each test, and the owners on it: most tests wait for longer than a lease, all of them at once. */
class Desk {
  readonly database: TestDatabase;
  readonly client: Client;
  readonly #worlds: OwnerWorld[] = [];

  private constructor(database: TestDatabase) {
    this.database = database;
    this.client = new Client({ connectionString: database.url });
  }

  static async open(): Promise<Desk> {
    const desk = new Desk(await createTestDatabase());
    await desk.client.connect();
    return desk;
  }

  async close(): Promise<void> {
    await this.client.query('ROLLBACK');
    await Promise.all(this.#worlds.map((world) => world.owner.stop()));
    await this.client.end();
    await this.database.drop();
  }

  async begin(options: { tenantId?: TenantId } = {}): Promise<OwnerWorld> {
    const world = await OwnerWorld.make(this.database.url, options);
    this.#worlds.push(world);
    return world;
  }

  async start(options: { tenantId?: TenantId } = {}): Promise<OwnerWorld> {
    const world = await this.begin(options);
    await world.owner.start();
    return world;
  }

  /** Longer than the lease of 5 s is in force without a renewal, by Postgres's clock; the standby has had several looks. */
  async outlastTheLease(): Promise<void> {
    const since = (await this.client.query<{ at: string }>('SELECT clock_timestamp()::text AS at')).rows[0]?.at;
    const isOver = async (): Promise<boolean> =>
      (
        await this.client.query<{ over: boolean }>(
          `SELECT clock_timestamp() > $1::timestamptz + interval '8 s' AS over`,
          [since],
        )
      ).rows[0]?.over === true;
    await vi.waitUntil(isOver, { interval: 200, timeout: 20_000 });
  }

  /** A tenant of another shard. */
  async stranger(of: OwnerWorld): Promise<TenantId> {
    for (;;) {
      const tenantId = newTenantId();
      if (shardOf(tenantId) === shardOf(of.tenantId)) continue;
      await insertTenant(this.database.url, tenantId);
      await of.put(0, tenantId);
      return tenantId;
    }
  }
}

const it = test.extend<{ desk: Desk }>({
  // eslint-disable-next-line no-empty-pattern -- vitest reads what a fixture needs from this parameter
  desk: async ({}, use) => {
    const desk = await Desk.open();
    await use(desk);
    await desk.close();
  },
});

describe.concurrent('the lease', () => {
  it('is kept while a transaction waits for a lock', async ({ desk, expect }) => {
    const first = await desk.start();
    await first.put();
    const standby = await desk.start({ tenantId: first.tenantId });
    await desk.client.query('BEGIN');
    await desk.client.query('LOCK TABLE run IN ACCESS EXCLUSIVE MODE');
    const trigger = first.trigger();
    await desk.outlastTheLease();
    expect(standby.shards).toBe(0);
    expect(first.shards).toBe(shardCount);
    await desk.client.query('ROLLBACK');
    await trigger;
  });

  it('is kept while what commands need is read', async ({ desk, expect }) => {
    const first = await desk.start();
    await first.put();
    const standby = await desk.start({ tenantId: first.tenantId });
    await desk.client.query('BEGIN');
    await desk.client.query('LOCK TABLE run IN ACCESS EXCLUSIVE MODE');
    const trigger = first.trigger({ runId: newId() }); // an id of the caller's is looked for
    await desk.outlastTheLease();
    expect(standby.shards).toBe(0);
    await desk.client.query('ROLLBACK');
    await trigger;
  });

  it('is kept while shards are recovered, however long that takes', async ({ desk, expect }) => {
    const before = await desk.start();
    await before.put();
    const runId = await before.trigger();
    await before.owner.stop();
    await desk.client.query('BEGIN');
    await desk.client.query('LOCK TABLE live IN ACCESS EXCLUSIVE MODE');
    const first = await desk.begin({ tenantId: before.tenantId });
    const started = first.owner.start();
    const owned = async (): Promise<string | undefined> =>
      (await desk.client.query<{ n: string }>('SELECT count(*) AS n FROM shard WHERE owner IS NOT NULL')).rows[0]?.n;
    await expect.poll(owned).toBe(String(shardCount));
    const epochs = async (): Promise<string[]> =>
      (await desk.client.query<{ epoch: string }>('SELECT epoch FROM shard ORDER BY id')).rows.map((row) => row.epoch);
    const acquired = await epochs();
    const standby = await desk.begin({ tenantId: before.tenantId });
    const stands = standby.owner.start();
    await desk.outlastTheLease();
    expect(await epochs()).toEqual(acquired);
    await desk.client.query('ROLLBACK');
    await Promise.all([started, stands]);
    expect(standby.shards).toBe(0);
    expect(first.memory()).toHaveLength(1);
    expect(first.memory()[0]).toContain(runId);
  });

  it('means nothing once no connection of its process is left', async ({ desk, expect }) => {
    const rival = await RivalOwner.connect(desk.database.url);
    await rival.take();
    const standby = await desk.start();
    expect(standby.shards).toBe(0);
    await rival.vanish(); // its lease is in force for an hour
    await expect.poll(() => standby.shards).toBe(shardCount);
  });

  it('is that of a process, which lives while any of its connections is there, and is looked at twice', async ({
    desk,
    expect,
  }) => {
    const rival = await RivalOwner.connect(desk.database.url);
    await rival.take();
    const owner = newId();
    const wanted = Array.from({ length: shardCount }, (_, id) => id);
    const look = async (): Promise<(string | null)[]> => {
      const rows = await renewLease(desk.client, owner);
      return [...new Set(rows.flatMap((row) => (row.id === null || row.free || row.alive ? [] : [row.owner])))];
    };
    const acquire = async (gone: string[]): Promise<number> =>
      (await acquireShards(desk.client, { owner, wanted, gone })).length;
    const name = `hatchet lane ${rival.id}`;
    const lane = new Client({ connectionString: desk.database.url, application_name: name });
    await lane.connect();
    await rival.vanish();
    const leases = async (): Promise<number> =>
      (
        await desk.client.query(
          `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'hatchet lease %'`,
        )
      ).rows.length;
    await expect.poll(leases).toBe(0);
    expect(await look()).toEqual([]);
    await lane.end();
    await expect.poll(look).toEqual([rival.id]);
    // Nobody has looked twice; and by the second look it may be back.
    expect(await acquire([])).toBe(0);
    const back = new Client({ connectionString: desk.database.url, application_name: name });
    await back.connect();
    expect(await acquire([rival.id])).toBe(0);
    await back.end();
    await expect.poll(() => acquire([rival.id])).toBe(shardCount);
    await giveShardsBack(desk.client, owner, wanted);
  });

  it.for(['lane', 'lease', '%'])(
    'survives the loss of connections of its process: %s',
    async (which, { desk, expect }) => {
      const first = await desk.start();
      await first.put();
      const standby = await desk.start({ tenantId: first.tenantId });
      const { rows } = await desk.client.query<{ owner: string }>('SELECT DISTINCT owner FROM shard');
      expect(rows).toHaveLength(1);
      await desk.client.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'hatchet ' || $1 || ' ' || $2`,
        [which, rows[0]?.owner],
      );
      await first.trigger();
      await desk.outlastTheLease();
      expect(standby.shards).toBe(0);
      expect(first.shards).toBe(shardCount);
      await first.trigger();
    },
  );
});

describe.concurrent('a shard that is lost', () => {
  it('loses itself alone: what was planned with it is carried out', async ({ desk, expect }) => {
    const world = await desk.start();
    await world.put();
    const other = await desk.stranger(world);
    const memory = world.owner.stateOf(other);
    const rival = await RivalOwner.connect(desk.database.url);
    await rival.take([shardOf(world.tenantId)]);
    let isAnswered = false;
    const late = world.trigger().then(() => (isAnswered = true));
    const runs = await Promise.all(Array.from({ length: 20 }, () => world.trigger({ tenantId: other })));
    const { rows } = await desk.client.query('SELECT FROM run WHERE tenant_id = $1', [other]);
    expect(rows).toHaveLength(runs.length);
    expect(world.shards).toBe(shardCount - 1);
    expect(isAnswered).toBe(false);
    expect(world.owner.stateOf(other) === memory).toBe(true);
    await rival.leave();
    await late;
    expect(world.shards).toBe(shardCount);
  });

  it('is noticed without a command', async ({ desk, expect }) => {
    const world = await desk.start();
    const memory = new Set(world.owner.states);
    const rival = await RivalOwner.connect(desk.database.url);
    await rival.take([3, 5]);
    await expect.poll(() => world.shards).toBe(shardCount - 2);
    expect([...world.owner.states].every((state) => memory.has(state))).toBe(true);
    await rival.leave();
    await expect.poll(() => world.shards).toBe(shardCount);
  });
});

describe.concurrent('a shard that is recovered slowly', () => {
  it('is given back by a stop in the middle of it', async ({ desk, expect }) => {
    const before = await desk.start();
    await before.put();
    await before.trigger();
    await before.owner.stop();
    await desk.client.query('BEGIN');
    await desk.client.query('LOCK TABLE durable_entry IN ACCESS EXCLUSIVE MODE');
    const world = await desk.begin({ tenantId: before.tenantId });
    const started = world.owner.start();
    await expect.poll(() => world.shards).toBe(shardCount - 1);
    await world.owner.stop();
    await started;
    const { rows } = await desk.client.query('SELECT FROM shard WHERE owner IS NOT NULL');
    expect(rows).toEqual([]);
  });

  it('holds up no other', async ({ desk, expect }) => {
    const before = await desk.start();
    await before.put();
    await before.trigger();
    const second = await desk.stranger(before);
    await before.owner.stop();
    await desk.client.query('BEGIN');
    // Read for shards that have something to recover.
    await desk.client.query('LOCK TABLE durable_entry IN ACCESS EXCLUSIVE MODE');
    const world = await desk.begin({ tenantId: before.tenantId });
    const started = world.owner.start();
    await expect.poll(() => world.shards).toBe(shardCount - 2);
    expect(world.owner.stateOf(second)).toBeUndefined();
    let empty = newTenantId();
    while ([before.tenantId, second].map(shardOf).includes(shardOf(empty))) empty = newTenantId();
    await insertTenant(desk.database.url, empty);
    await world.put(0, empty);
    await world.trigger({ tenantId: empty });
    await desk.client.query('ROLLBACK');
    await started;
    expect(world.shards).toBe(shardCount);
    expect(world.memory()).toHaveLength(1);
  });
});
