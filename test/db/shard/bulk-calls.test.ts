import { afterAll, beforeAll, expect, it } from 'vitest';
import { shardOf } from '../../../engine/model/ids/shard-of.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import type { TriggerRun } from '../../../engine/model/task/trigger-run.ts';
import { insertTenant, OwnerWorld } from '../../helpers/owner-world.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';
import { newTenantId, type TenantId } from '../../../engine/model/ids/tenant-id.ts';

const database = databaseFixture();
let world: OwnerWorld;

beforeAll(async () => {
  world = await OwnerWorld.start(database.url);
});

afterAll(() => world.owner.stop());

function runOf(tenantId: TenantId): TriggerRun {
  const runId = newId();
  return {
    runId,
    taskIds: [runId],
    versionId: world.owner.stateOf(tenantId)?.latestVersion(tenantId, 'single')?.versionId ?? '',
    input: '{}',
    metadata: '{}',
    priority: 1,
    parentTaskId: null,
    childIndex: null,
    childKey: null,
    filterPayload: null,
    placement: null,
    idempotency: null,
    ownId: false,
    earlierIds: [],
    demands: null,
  };
}

it('bulk calls are answered one after the other, and neither light calls nor other tenants wait for all of them', async () => {
  const { owner, tenantId } = world;
  await world.put();
  let neighbour = newTenantId();
  while (shardOf(neighbour) !== shardOf(tenantId)) neighbour = newTenantId(); // one that shares the shard
  await insertTenant(database.url, neighbour);
  await world.put(0, neighbour);
  const answered: string[] = [];
  const send = async (what: string, tenant: TenantId, runs: number): Promise<void> => {
    await owner.submit({
      kind: 'trigger',
      tenantId: tenant,
      runs: Array.from({ length: runs }, () => runOf(tenant)),
    });
    answered.push(what);
  };
  const bulks = Array.from({ length: 20 }, async (_, n) => send(`bulk ${n}`, tenantId, 400));
  const others = [send('light', tenantId, 1), send('their bulk', neighbour, 400), send('their light', neighbour, 1)];
  await Promise.all([...bulks, ...others]);
  const place = (what: string): number => answered.indexOf(what);
  expect(answered.filter((what) => what.startsWith('bulk')).slice(0, 3)).toEqual(['bulk 0', 'bulk 1', 'bulk 2']);
  for (const what of ['light', 'their bulk', 'their light']) expect(place(what)).toBeLessThan(place('bulk 3'));
});
