import { Client, type QueryResult } from 'pg';
import { describe, test } from 'vitest';
import { readBackend, type Backend } from '../../../engine/commit/lane.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { settleLostCommit } from '../../../engine/shard/ownership/fate-of-lost-commit.ts';
import { acquireShards } from '../../../engine/shard/ownership/acquire-shards.ts';
import type { OwnedShard } from '../../../engine/shard/ownership/owned-shards.ts';
import { createTestDatabase } from '../../helpers/test-database.ts';

/** One process on two connections, of which the lane's is a new one. */
class Desk {
  readonly owner = newId();
  readonly lease: Client;
  readonly lane: Client;

  constructor(url: string) {
    this.lease = new Client({ connectionString: url });
    this.lane = new Client({ connectionString: url });
  }

  acquire(...wanted: number[]): Promise<OwnedShard[]> {
    return acquireShards(this.lease, { owner: this.owner, wanted });
  }

  /** The old connection is the new one: nothing of it is there to be ended. */
  async settle(shards: readonly { id: number; epoch: number }[], unanswered = 0): ReturnType<typeof settleLostCommit> {
    const { rows }: QueryResult<Backend> = await this.lane.query(readBackend);
    const [old] = rows;
    if (old === undefined) throw new Error('Postgres does not know the connection');
    return settleLostCommit(this.lane, { owner: this.owner, shards, old, unanswered });
  }

  async epoch(id: number): Promise<number> {
    const { rows } = await this.lease.query<{ epoch: string }>('SELECT epoch FROM shard WHERE id = $1', [id]);
    return Number(rows[0]?.epoch);
  }
}

const it = test.extend<{ desk: Desk }>({
  // eslint-disable-next-line no-empty-pattern -- vitest reads what a fixture needs from this parameter
  desk: async ({}, use) => {
    const database = await createTestDatabase();
    const desk = new Desk(database.url);
    await Promise.all([desk.lease.connect(), desk.lane.connect()]);
    await use(desk);
    await Promise.all([desk.lease.end(), desk.lane.end()]);
    await database.drop();
  },
});

describe('a lane that connects again', () => {
  it('raises the epochs of the shards that it served', async ({ desk, expect }) => {
    const shards = await desk.acquire(3, 4);
    await desk.lease.query('UPDATE shard SET last_batch = 7 WHERE id = 4');
    const settled = await desk.settle(shards);
    const raised = shards.map(({ id, epoch }) => ({ id, epoch: epoch + 1, lastTransaction: id === 4 ? 7 : 0 }));
    expect(settled).toEqual(raised);
    expect(await desk.epoch(4)).toBe(settled[1]?.epoch);
  });

  it('leaves a shard alone that the connection of the lease has acquired anew meanwhile', async ({ desk, expect }) => {
    const served = await desk.acquire(3, 4);
    const [anew] = await desk.acquire(4);
    const settled = await desk.settle(served);
    expect(settled).toEqual([
      { id: 3, epoch: 2, lastTransaction: 0 },
      { id: 4, epoch: undefined, lastTransaction: 0 },
    ]);
    expect(await desk.epoch(4)).toBe(anew?.epoch);
  });

  it('takes up what an earlier try has raised whose answer was lost', async ({ desk, expect }) => {
    const shards = await desk.acquire(3);
    await desk.settle(shards);
    expect(await desk.settle(shards, 1)).toEqual([{ id: 3, epoch: 3, lastTransaction: 0 }]);
  });

  it('is told nothing of a shard that another process has', async ({ desk, expect }) => {
    const shards = await desk.acquire(3, 4);
    await desk.lease.query('UPDATE shard SET owner = $1 WHERE id = 3', [newId()]);
    expect(await desk.settle(shards)).toEqual([{ id: 4, epoch: 2, lastTransaction: 0 }]);
    expect(await desk.epoch(3)).toBe(1);
  });
});
