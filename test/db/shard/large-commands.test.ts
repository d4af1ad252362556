import type { Client } from 'pg';
import { beforeAll, expect, it } from 'vitest';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { MailboxRoom } from '../../../engine/shard/mailbox-room.ts';
import { pushEvents } from '../../../engine/shard/prepare/prepare-event.ts';
import { OwnerWorld } from '../../helpers/owner-world.ts';
import { stepOf, workflowOf } from '../../helpers/planner-world.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';
import type { TenantId } from '../../../engine/model/ids/tenant-id.ts';

const database = databaseFixture();
let client: Client;

beforeAll(() => void ({ client } = database));

const mebibyte = 1024 * 1024;

async function count(table: 'event' | 'schedule', tenantId: TenantId): Promise<number> {
  const texts = {
    event: 'SELECT count(*)::integer AS n FROM event WHERE tenant_id = $1',
    schedule: 'SELECT count(*)::integer AS n FROM schedule WHERE tenant_id = $1',
  };
  return (await client.query<{ n: number }>(texts[table], [tenantId])).rows[0]?.n ?? -1;
}

it('an event whose payload is for so many runs that no transaction could hold it is refused, and the engine goes on', async () => {
  const world = await OwnerWorld.start(database.url);
  try {
    await world.put();
    const { tenantId, owner } = world;
    const workflowId = newId();
    const definition = workflowOf('listener', [stepOf('one')], { eventKeys: ['much'] });
    await owner.submit({
      kind: 'putWorkflow',
      tenantId,
      definition,
      checksum: 'listener',
      workflowId,
      versionId: newId(),
      filterIds: [],
      crons: [],
    });
    for (let n = 0; n < 20; n++)
      await owner.submit({
        kind: 'putFilter',
        tenantId,
        filter: {
          id: newId(),
          workflowId,
          scope: 'all',
          expression: 'true',
          payload: '{}',
          isDeclared: false,
        },
      });
    const event = {
      key: 'much',
      payload: JSON.stringify('x'.repeat(4 * mebibyte - 2)),
      metadata: '',
      scope: 'all',
      priority: undefined,
    };
    await expect(pushEvents(owner, tenantId, [event])).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    expect(await count('event', tenantId)).toBe(0);
    await pushEvents(owner, tenantId, [{ ...event, payload: '{}' }]);
    expect(await count('event', tenantId)).toBe(1);
  } finally {
    await world.owner.stop();
  }
});

it('a run that is scheduled for many times with a large input is refused', async () => {
  const world = await OwnerWorld.start(database.url);
  try {
    await world.put();
    const { tenantId, owner } = world;
    const workflowId = owner.stateOf(tenantId)?.latestVersion(tenantId, 'single')?.workflowId ?? '';
    const input = JSON.stringify('x'.repeat(mebibyte));
    const schedules = Array.from({ length: 100 }, () => ({
      id: newId(),
      tenantId,
      workflowId,
      dueUs: 4e15,
      input,
      metadata: '{}',
      priority: null,
      parentTaskId: null,
    }));
    await expect(owner.submit({ kind: 'putSchedules', tenantId, schedules })).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
    });
    await owner.submit({ kind: 'putSchedules', tenantId, schedules: schedules.slice(0, 10) });
    expect(await count('schedule', tenantId)).toBe(10);
  } finally {
    await world.owner.stop();
  }
});

it('a command that cannot be put into statements fails alone: the others of its batch are carried out', async () => {
  const world = await OwnerWorld.start(database.url);
  try {
    await world.put();
    const { tenantId, owner } = world;
    const version = owner.stateOf(tenantId)?.latestVersion(tenantId, 'single');
    // Longer than a string may be, once it stands in an array; its length is no part of what is counted.
    const name = 'x'.repeat(2 ** 29 - 25);
    const kept = owner.submit({
      kind: 'putCron',
      tenantId,
      cron: cronOf({ tenantId, workflowId: version?.workflowId ?? '', name: 'kept', expression: '* * * * *' }),
    });
    const poison = owner.submit({
      kind: 'putCron',
      tenantId,
      cron: cronOf({ tenantId, workflowId: version?.workflowId ?? '', name, expression: '* * * * *' }),
    });
    await expect(poison).rejects.toMatchObject({ code: 'COMMAND_FAILED' });
    await kept;
    await world.trigger();
  } finally {
    await world.owner.stop();
  }
});

function cronOf(own: { tenantId: TenantId; workflowId: string; name: string; expression: string }) {
  return {
    ...own,
    id: newId(),
    zone: 'UTC',
    catchUp: 'none' as const,
    input: '{}',
    metadata: '{}',
    priority: null,
    enabled: true,
    isDeclared: false,
    nextUs: 4e15,
    lastUs: null,
    lastRunId: null,
  };
}

it('the mailbox takes payloads up to a size, and more once some are answered; what brings none finds room', () => {
  const room = new MailboxRoom();
  for (let n = 0; n < 4; n++) room.enter(0, 64 * mebibyte);
  expect(() => room.enter(4, 1)).toThrow(expect.objectContaining({ code: 'NOT_OWNER' }));
  room.enter(4, 0);
  room.leave(64 * mebibyte);
  room.enter(4, mebibyte);
  expect(() => room.enter(100_000, 0)).toThrow(expect.objectContaining({ code: 'NOT_OWNER' }));
});
