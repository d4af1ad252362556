import { Client } from 'pg';
import { expect, it } from 'vitest';
import { LiveState } from '../../../engine/model/task/live-state.ts';
import { liveRows, OwnerWorld } from '../../helpers/owner-world.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';

const database = databaseFixture();

it('what one transaction has no room for goes on in the next, without a command or a timer', async () => {
  const world = await OwnerWorld.start(database.url);
  const client = new Client({ connectionString: database.url });
  await client.connect();
  try {
    await world.put();
    await Promise.all(Array.from({ length: 2_500 }, () => world.trigger()));
    const before = world.owner.stateOf(world.tenantId)?.lastTransaction ?? 0;
    await world.register(10_000);
    // Whoever asked is answered once his own command is committed; some tasks have still no worker then.
    const running = (): number =>
      world.memory().filter((line) => line.split(' ')[1] === String(LiveState.Running)).length;
    expect(running()).toBeLessThan(2_500);
    await world.owner.idle();
    expect(running()).toBe(2_500);
    expect(world.effects.filter(({ kind }) => kind === 'dispatch')).toHaveLength(2_500);
    expect((world.owner.stateOf(world.tenantId)?.lastTransaction ?? 0) - before).toBeGreaterThanOrEqual(4);
    expect(await liveRows(client, world.tenantId)).toEqual(world.memory());
  } finally {
    await client.end();
    await world.owner.stop();
  }
});
