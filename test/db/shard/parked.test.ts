import type { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { shardCount, shardOf } from '../../../engine/model/ids/shard-of.ts';
import { prepareRun } from '../../../engine/shard/prepare/prepare-run.ts';
import { logLines } from '../../helpers/log-lines.ts';
import { OwnerWorld } from '../../helpers/owner-world.ts';
import { RivalOwner } from '../../helpers/rival-owner.ts';
import { databaseForTest, type DatabaseFixture } from '../../helpers/database-fixture.ts';

let database: DatabaseFixture;
let client: Client;
let world: OwnerWorld | undefined;

beforeEach(async () => {
  database = await databaseForTest();
  ({ client } = database);
});

afterEach(() => world?.owner.stop());

async function statements(owner: string): Promise<number> {
  const { rows } = await client.query<{ n: string }>(
    `SELECT count(*) AS n FROM pg_stat_activity WHERE application_name LIKE 'hatchet lane ' || $1 AND query_start > clock_timestamp() - interval '3 s'`,
    [owner],
  );
  return Number(rows[0]?.n);
}

describe('a command for a shard that is served elsewhere', () => {
  it('is refused at once when its process stops', async () => {
    const first = await OwnerWorld.start(database.url);
    await first.put();
    world = await OwnerWorld.start(database.url, { tenantId: first.tenantId });
    const call = world.put(1);
    const refused = expect(call).rejects.toMatchObject({ code: 'STOPPING' });
    await world.owner.stop();
    await refused;
    await first.owner.stop();
  });

  it('is a command that waits: the owner is idle once it is carried out', async () => {
    world = await OwnerWorld.start(database.url);
    await world.put();
    const rival = await RivalOwner.connect(database.url);
    const { shards, tenantId } = { shards: [shardOf(world.tenantId)], tenantId: world.tenantId };
    await rival.take(shards);
    await expect.poll(() => world?.owner.stateOf(tenantId)).toBeUndefined();
    let isIdle = false;
    const call = world.put(1);
    const idle = world.owner.idle().then(() => (isIdle = true));
    expect(world.owner.waiting).toBe(1);
    // Others are carried out meanwhile, and the lane does nothing for the one that waits.
    const { rows } = await client.query<{ owner: string }>('SELECT owner FROM shard WHERE id <> $1 LIMIT 1', shards);
    await expect.poll(() => statements(rows[0]?.owner ?? '')).toBe(0);
    expect(isIdle).toBe(false);
    await rival.leave();
    await Promise.all([call, idle]);
    expect(world.shards).toBe(shardCount);
  });
});

describe('a call that has to know the definitions of a shard', () => {
  it('waits for the shard, and is refused when the process stops', async () => {
    const first = await OwnerWorld.start(database.url);
    await first.put();
    world = await OwnerWorld.start(database.url, { tenantId: first.tenantId });
    const call = prepareRun(world.owner, world.tenantId, {
      workflowName: 'single',
      input: '{}',
      metadata: '{}',
      priority: undefined,
    });
    await first.owner.stop();
    expect((await call).taskIds).toHaveLength(1);

    const third = await OwnerWorld.start(database.url, { tenantId: first.tenantId });
    const refused = expect(
      prepareRun(third.owner, third.tenantId, {
        workflowName: 'single',
        input: '{}',
        metadata: '{}',
        priority: undefined,
      }),
    ).rejects.toMatchObject({ code: 'STOPPING' });
    // Let it come as far as to wait.
    await new Promise((resolve) => setImmediate(resolve));
    await third.owner.stop();
    await refused;
  });
});

describe('a connection', () => {
  it('is not left behind by attempts to find out what is owned', async () => {
    const { log, lines } = logLines();
    world = await OwnerWorld.start(database.url, { log });
    await world.put();
    const { rows } = await client.query<{ owner: string }>('SELECT DISTINCT owner FROM shard');
    await client.query('ALTER TABLE shard RENAME TO shard_away');
    await client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1`, [
      `hatchet lane ${rows[0]?.owner}`,
    ]);
    const call = world.trigger();
    const attempts = (): number =>
      lines.filter((line) => line['msg'] === 'Postgres cannot be reached; trying again').length;
    await expect.poll(attempts).toBeGreaterThanOrEqual(5);
    const left = async (): Promise<number> =>
      (
        await client.query(`SELECT FROM pg_stat_activity WHERE application_name = $1`, [
          `hatchet lane ${rows[0]?.owner}`,
        ])
      ).rows.length;
    await expect.poll(left).toBeLessThanOrEqual(1);
    await client.query('ALTER TABLE shard_away RENAME TO shard');
    await call;
  });
});
