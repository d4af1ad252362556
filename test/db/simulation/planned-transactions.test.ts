import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, it } from 'vitest';
import { newId } from '../../../engine/model/ids/uuid.ts';
import type { TransactionRows } from '../../../engine/model/stored-rows.ts';
import { actions, action, apply, world } from '../../helpers/histories.ts';
import { PlannerWorld, tenantId } from '../../helpers/planner-world.ts';
import { randomFrom } from '../../helpers/random.ts';
import { readLive } from '../../../engine/shard/recovery/recover-tasks.ts';
import { readRunTasks } from '../../../engine/shard/recovery/recover-runs.ts';
import { shardOf } from '../../../engine/model/ids/shard-of.ts';
import { TwinOwner } from './twin-owner.ts';
import { TwinStores } from './twin-stores.ts';

let twins: TwinStores;

beforeAll(async () => {
  twins = await TwinStores.open();
});

beforeEach(async () => {
  await twins.reset();
});

afterAll(async () => {
  await twins.close();
});

const firstId = '00000000-0000-0000-0000-000000000000';

it.each([0, 1, 2])('stores what the planner writes as Postgres does: seed %i', async (seed) => {
  const chance = randomFrom(seed);
  const owner = await TwinOwner.open(twins, [tenantId]);
  const planned: TransactionRows[] = [];
  const made = new PlannerWorld({ like: newId(), from: 0 });
  made.write = (changes) => void planned.push(changes);
  world(made);
  made.register({ actions, slots: 3 });
  const [steps = []] = fc.sample(fc.array(action, { minLength: 40, maxLength: 40 }), { seed, numRuns: 1 });
  for (const step of steps) {
    apply(made, step);
    for (const rows of planned.splice(0)) {
      if (chance() < 0.1) await owner.commit(rows, { epoch: 99 });
      if (chance() < 0.1) await owner.commit(rows, { end: 'ROLLBACK' });
      await owner.commit(rows);
      // As after an answer that was lost: the shard's last transaction is another by now.
      if (chance() < 0.1) await owner.commit(rows, { behind: true });
    }
    await twins.compareTables();
    const runs = [...made.stored.runs.keys()];
    twins.send(owner.pool, readLive, [shardOf(tenantId), firstId, 1_000]);
    twins.send(owner.pool, readRunTasks, [runs, runs.map(() => 1 + Math.floor(chance() * 2))]);
    await twins.settle();
  }
});
