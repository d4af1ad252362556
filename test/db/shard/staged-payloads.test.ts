import { randomBytes } from 'node:crypto';
import type { Client } from 'pg';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pushEvents } from '../../../engine/shard/prepare/prepare-event.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { OwnerWorld } from '../../helpers/owner-world.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';

const database = databaseFixture();
let client: Client;
let world: OwnerWorld;

beforeAll(() => void ({ client } = database));

beforeEach(async () => {
  world = await OwnerWorld.start(database.url);
  await world.put();
  await world.register();
});

afterEach(() => world.owner.stop());

const long = (): string => JSON.stringify(randomBytes(400_000).toString('base64'));

async function value(sql: string, id: string): Promise<string> {
  return (await client.query<{ value: string }>(sql, [id])).rows[0]?.value ?? '';
}

const inputOf = 'SELECT input AS value FROM run WHERE id = $1';
const outputOf = 'SELECT output AS value FROM result WHERE task_id = $1';

async function isLeft(): Promise<boolean> {
  return (await client.query('SELECT FROM staged_payload')).rowCount !== 0;
}

/** What is stored of inputs and outputs, events' payloads and schedules' inputs that were given to the owner. */
async function storeAll(): Promise<void> {
  const [input, output, payload, later] = [long(), long(), long(), long()];
  const { owner, tenantId } = world;
  const runId = await world.trigger({ input });
  await world.complete(runId, 0, output);
  const [event] = await pushEvents(owner, tenantId, [
    { key: 'k', payload, metadata: '', scope: '', priority: undefined },
  ]);
  const schedule = {
    id: newId(),
    tenantId,
    workflowId: owner.stateOf(tenantId)?.latestVersion(tenantId, 'single')?.workflowId ?? '',
    dueUs: 4e15,
    input: later,
    metadata: '{}',
    priority: null,
    parentTaskId: null,
  };
  await owner.submit({
    kind: 'putSchedules',
    tenantId,
    schedules: [schedule, { ...schedule, id: newId(), input: '{"short":true}' }],
  });
  expect(await value(inputOf, runId)).toBe(input);
  expect(await value(outputOf, runId)).toBe(output);
  expect(await value('SELECT payload AS value FROM event WHERE id = $1', event?.id ?? '')).toBe(payload);
  expect(await value('SELECT input AS value FROM schedule WHERE id = $1', schedule.id)).toBe(later);
}

/** Until the function given is called, nothing can be staged. */
async function stopStaging(): Promise<() => Promise<void>> {
  await client.query('BEGIN');
  await client.query('LOCK TABLE staged_payload IN EXCLUSIVE MODE');
  return async () => void (await client.query('COMMIT'));
}

describe('long payloads', () => {
  it('are stored whole, and nothing is left staged', async () => {
    await storeAll();
    await expect.poll(isLeft).toBe(false);
  });

  it('hold up no other command while Postgres takes them in', async () => {
    const release = await stopStaging();
    let done = false;
    const slow = world.trigger({ input: long() }).finally(() => {
      done = true;
    });
    for (let n = 0; n < 5; n++) await world.complete(await world.trigger());
    expect(done).toBe(false);
    await release();
    expect(await value(inputOf, await slow)).not.toBe('');
  });

  it('are not overtaken by what comes after them of their task', async () => {
    const runId = await world.trigger();
    const release = await stopStaging();
    const output = long();
    const first = world.complete(runId, 0, output);
    const second = world.complete(runId, 0, '"too late"');
    await world.trigger();
    await release();
    await Promise.all([first, second]);
    expect(await value(outputOf, runId)).toBe(output);
  });

  it('of one command are staged though each of them is short', async () => {
    const { owner, tenantId } = world;
    const version = owner.stateOf(tenantId)?.latestVersion(tenantId, 'single');
    const runs = Array.from({ length: 20 }, () => {
      const runId = newId();
      return {
        runId,
        taskIds: [runId],
        versionId: version?.versionId ?? '',
        input: JSON.stringify(randomBytes(50_000).toString('base64')),
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
    });
    const release = await stopStaging();
    let done = false;
    const all = owner.submit({ kind: 'trigger', tenantId, runs }).finally(() => {
      done = true;
    });
    await world.trigger();
    expect(done).toBe(false);
    await release();
    await all;
    for (const { runId, input } of runs) expect(await value(inputOf, runId)).toBe(input);
  });

  it.each([
    ['a crash of Postgres has emptied the table', 'BEGIN RETURN NULL; END'],
    ['they cannot be staged', `BEGIN RAISE EXCEPTION 'no room'; END`],
  ])('are stored whole where %s', async (_, body) => {
    await client.query(`CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS ${client.escapeLiteral(body)}`);
    await client.query('CREATE TRIGGER spoil BEFORE INSERT ON staged_payload FOR EACH ROW EXECUTE FUNCTION spoil()');
    try {
      await storeAll();
    } finally {
      await client.query('DROP FUNCTION spoil CASCADE');
    }
  });

  it('that wait when the engine stops are stored or refused, and it stops', async () => {
    const release = await stopStaging();
    const ended = world.trigger({ input: long() }).then(
      () => 'stored',
      (error: unknown) => String(error),
    );
    const stopping = world.owner.stop();
    await release();
    await stopping;
    expect(await ended).toMatch(/stored|stopp/);
  });
});
