import type { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { shardCount, shardOf } from '../../../engine/model/ids/shard-of.ts';
import type { ShardState } from '../../../engine/plan/state/shard-state.ts';
import { logLines } from '../../helpers/log-lines.ts';
import { insertTenant, liveRows, OwnerWorld } from '../../helpers/owner-world.ts';
import { databaseForTest, type DatabaseFixture } from '../../helpers/database-fixture.ts';
import { newTenantId, type TenantId } from '../../../engine/model/ids/tenant-id.ts';

let database: DatabaseFixture;
let client: Client;
let world: OwnerWorld;
let lines: Record<string, unknown>[];
let throwing = false;
/** Of another shard. */
let other: TenantId;

beforeEach(async () => {
  database = await databaseForTest();
  ({ client } = database);
  const { log, lines: said } = logLines();
  lines = said;
  throwing = false;
  world = await OwnerWorld.start(database.url, {
    log,
    committed: () => {
      if (throwing) throw new Error('a listener has a fault');
    },
  });
  other = newTenantId();
  while (shardOf(other) === shardOf(world.tenantId)) other = newTenantId();
  await insertTenant(database.url, other);
  await world.put();
  await world.put(0, other);
  await world.register(5);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await world.owner.stop();
});

function state(): ShardState {
  const found = world.owner.stateOf(world.tenantId);
  if (found === undefined) throw new Error('the shard is not served');
  return found;
}

/** What is asked at the end of planning, for the rows that the transaction writes, throws as a fault of the planner would. */
function breakSettling(): void {
  vi.spyOn(state().batches.ofRow, 'get').mockImplementation(() => {
    throw new Error('a fault in planning');
  });
}

async function memoryIsWhatIsStored(): Promise<void> {
  expect(world.memory()).toEqual(await liveRows(client, world.tenantId));
}

describe('what is thrown', () => {
  it('while a transaction settles takes it back, and its shard is recovered anew; other shards go on', async () => {
    const before = await world.trigger();
    const others = world.owner.stateOf(other);
    const broken = state();
    breakSettling();
    const settled = await Promise.allSettled([
      world.trigger(),
      world.trigger({ tenantId: other }),
      world.trigger(),
      world.trigger({ tenantId: other }),
    ]);
    // One command was the last to find the shard broken; the others waited until it was recovered.
    const refused = settled.flatMap((answer) => (answer.status === 'rejected' ? [String(answer.reason)] : []));
    expect(refused).toEqual(['HatchetError: the engine could not carry out trigger']);
    expect([settled[1]?.status, settled[3]?.status]).toEqual(['fulfilled', 'fulfilled']);
    expect(world.owner.stateOf(other) === others).toBe(true);
    await expect.poll(() => world.shards).toBe(shardCount);
    expect(state() === broken).toBe(false);
    expect(lines).toContainEqual(expect.objectContaining({ shard: shardOf(world.tenantId), fails: 1, pauseMs: 0 }));
    expect(world.memory().join()).toContain(before);
    await world.trigger();
    await memoryIsWhatIsStored();
  });

  it('after the commit costs nobody an answer, and the shard is recovered anew', async () => {
    const broken = state();
    vi.spyOn(broken.timers, 'tidy').mockImplementation(() => {
      throw new Error('a fault in settling');
    });
    const runs = await Promise.all([world.trigger(), world.trigger({ tenantId: other }), world.trigger()]);
    const dispatched = world.effects.flatMap((effect) => (effect.kind === 'dispatch' ? [effect.taskId] : []));
    expect(dispatched).toEqual([runs[0], runs[2]]);
    await expect.poll(() => world.owner.stateOf(world.tenantId)).toBeDefined();
    expect(state() === broken).toBe(false);
    await memoryIsWhatIsStored();
    await world.trigger();
  });

  it('by a listener is logged, and callers are answered', async () => {
    throwing = true;
    await Promise.all([world.trigger(), world.trigger()]);
    expect(lines).toContainEqual(
      expect.objectContaining({ err: expect.objectContaining({ message: 'a listener has a fault' }) }),
    );
    throwing = false;
    await world.trigger();
    await memoryIsWhatIsStored();
  });
});
