import type { Client } from 'pg';
import { beforeAll, expect, it } from 'vitest';
import { HatchetError } from '../../../engine/base/errors.ts';
import { partlyDone } from '../../../engine/shard/command-failure.ts';
import { prepareRun } from '../../../engine/shard/prepare/prepare-run.ts';
import { pushEvents } from '../../../engine/shard/prepare/prepare-event.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { OwnerWorld } from '../../helpers/owner-world.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';
import { newTenantId } from '../../../engine/model/ids/tenant-id.ts';

const database = databaseFixture();
let client: Client;

beforeAll(() => void ({ client } = database));

async function transactions(): Promise<number> {
  const { rows } = await client.query<{ n: string }>('SELECT max(last_batch) AS n FROM shard');
  return Number(rows[0]?.n);
}

it('stores a large call in several transactions while others are there, in its order, and answers it once', async () => {
  const world = await OwnerWorld.start(database.url);
  try {
    await world.put();
    const { owner, tenantId } = world;
    const ids = Array.from({ length: 1_000 }, () => newId());
    const runs = await Promise.all(
      ids.map(async (runId) =>
        prepareRun(owner, tenantId, { workflowName: 'single', input: '{}', metadata: '', priority: 1, runId }),
      ),
    );
    const before = await transactions();
    const replies = owner.submit({ kind: 'trigger', tenantId, runs });
    const other = newTenantId();
    void owner.submit({ kind: 'cancel', tenantId: other, ids: [newId()] });
    expect(await replies).toEqual({ runIds: ids, collisions: [] });
    expect((await transactions()) - before).toBeGreaterThanOrEqual(10);
    const { rows } = await client.query<{ n: number }>('SELECT count(*)::integer AS n FROM run WHERE tenant_id = $1', [
      tenantId,
    ]);
    expect(rows[0]?.n).toBe(1_000);
    // The same ids once more: nothing is made twice, and the answer is the same.
    expect(await owner.submit({ kind: 'trigger', tenantId, runs })).toEqual({ runIds: ids, collisions: [] });
    expect((await owner.submit({ kind: 'cancel', tenantId, ids })).cancelled).toEqual(ids);
  } finally {
    await world.owner.stop();
  }
});

it('answers for each of many events, in their order', async () => {
  const world = await OwnerWorld.start(database.url);
  try {
    const { owner, tenantId } = world;
    const requests = Array.from({ length: 250 }, (_, n) => ({
      key: `key-${n}`,
      payload: '',
      metadata: '',
      scope: undefined,
      priority: undefined,
    }));
    const events = await pushEvents(owner, tenantId, requests);
    expect(events.map(({ key }) => key)).toEqual(requests.map(({ key }) => key));
    expect(events.every(({ id, storedId }) => id === storedId)).toBe(true);
  } finally {
    await world.owner.stop();
  }
});

it('says how much of a call is stored where a part of it failed', () => {
  const error = new HatchetError('NOT_OWNER', 'no engine could take this on for 30 s', { remedy: 'Try again.' });
  expect(partlyDone(error, { done: 0, of: 20 })).toBe(error);
  expect(partlyDone(error, { done: 7, of: 20 })).toMatchObject({
    code: 'NOT_OWNER',
    message: 'no engine could take this on for 30 s; 7 of the 20 parts of the call are stored',
    details: { partsStored: 7, parts: 20 },
  });
});
