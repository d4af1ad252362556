import type { Client } from 'pg';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { DurableCondition } from '../../../engine/model/durable/durable.ts';
import { waitFingerprint } from '../../../engine/model/durable/fingerprint.ts';
import type { Condition } from '../../../engine/model/definition.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { LiveState } from '../../../engine/model/task/live-state.ts';
import type { TriggerRun } from '../../../engine/model/task/trigger-run.ts';
import { prepareRun } from '../../../engine/shard/prepare/prepare-run.ts';
import { emptyMemory } from '../../../engine/purge/empty-memory.ts';
import { OwnerWorld, type OwnerWorldOptions } from '../../helpers/owner-world.ts';
import { stepOf, workflowOf } from '../../helpers/planner-world.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';

const sleepers = 250;
const gated = 150;

const database = databaseFixture();
let client: Client;
let world: OwnerWorld;
let workerId: string;
/** After each commit. */
let committed: () => void = () => undefined;

beforeAll(() => void ({ client } = database));

beforeEach(async () => {
  committed = () => undefined;
  await start();
  const step: Condition = {
    action: 'QUEUE',
    group: 0,
    kind: 'event',
    eventKey: 'go',
    scope: null,
    expression: '',
    dataKey: 'go',
  };
  for (const definition of [
    workflowOf('sleeper', [
      stepOf('one', { action: 'wf:sleeper', durable: true, slots: { durable: 1 }, executionTimeoutMs: 600_000 }),
    ]),
    workflowOf('gated', [stepOf('one', { action: 'wf:gated', conditions: [step] })]),
  ])
    await world.define(definition);
  workerId = await world.register({ durable: 1000, default: 1000 }, ['wf:sleeper', 'wf:gated']);
});

afterEach(async () => world.owner.stop());

async function start(options: OwnerWorldOptions = {}): Promise<void> {
  world = await OwnerWorld.start(database.url, { ...options, committed: () => committed() });
}

/** Another engine takes over: all that it knows comes from Postgres. */
async function restart(): Promise<void> {
  const { tenantId } = world;
  await world.owner.stop();
  await start({ tenantId });
}

async function trigger(workflowName: string, count: number): Promise<string[]> {
  const { tenantId, owner } = world;
  const runs: TriggerRun[] = [];
  for (let n = 0; n < count; n++)
    runs.push(await prepareRun(owner, tenantId, { workflowName, input: '{}', metadata: '', priority: undefined }));
  await owner.submit({ kind: 'trigger', tenantId, runs });
  await owner.idle();
  return runs.map(({ runId }) => runId);
}

async function listen(taskId: string, eventKey: string, expression = ''): Promise<void> {
  const { tenantId, owner } = world;
  const conditions: DurableCondition[] = [
    { kind: 'event', eventKey, scope: null, expression, sinceMs: null, group: 0, dataKey: 'e' },
  ];
  await owner.submit({
    kind: 'durableAsk',
    tenantId,
    workerId,
    taskId,
    invocation: 1,
    stream: 1,
    request: 1,
    ask: { kind: 'wait', fingerprint: waitFingerprint(conditions), asked: { kind: 'wait', conditions, label: null } },
  });
}

/** Durable tasks that have left their worker, and listen. */
async function fallAsleep(count: number, expression = ''): Promise<string[]> {
  const { tenantId, owner } = world;
  const taskIds = await trigger('sleeper', count);
  await Promise.all(taskIds.map(async (taskId) => listen(taskId, 'go', expression)));
  await Promise.all(
    taskIds.map(async (taskId) =>
      owner.submit({ kind: 'durableEvict', tenantId, workerId, taskId, invocation: 1, reason: 'ttl' }),
    ),
  );
  return taskIds;
}

async function push(payload = '{}'): Promise<string> {
  const id = newId();
  await world.owner.submit({
    kind: 'pushEvent',
    tenantId: world.tenantId,
    events: [{ id, key: 'go', scope: null, payload, metadata: '{}', runs: [] }],
  });
  return id;
}

/** By task, what the durable ones were given, each as often as it was. */
async function given(taskIds: readonly string[]): Promise<Map<string, unknown[]>> {
  const { rows } = await client.query<{ task_id: string; payload: string }>(
    'SELECT task_id, payload FROM durable_result WHERE task_id = ANY ($1::uuid[]) AND condition = -1',
    [taskIds],
  );
  const results = new Map<string, unknown[]>(taskIds.map((id) => [id, []]));
  for (const { task_id, payload } of rows) results.get(task_id)?.push(JSON.parse(payload));
  return results;
}

function running(taskIds: readonly string[]): number {
  const state = world.owner.stateOf(world.tenantId);
  return taskIds.filter((id) => {
    const row = state?.tasks.find(id);
    return row !== undefined && state?.tasks.state[row] === LiveState.Running;
  }).length;
}

async function wakingRows(): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    'SELECT count(*)::integer AS count FROM event_waking WHERE tenant_id = $1',
    [world.tenantId],
  );
  return rows[0]?.count ?? -1;
}

it('wakes all who wait, each once, in several transactions', async () => {
  const [asleep, waiting] = [await fallAsleep(sleepers), await trigger('gated', gated)];
  let transactions = 0;
  committed = () => transactions++;
  await push('{"n":1}');
  expect(await wakingRows()).toBe(1);
  await world.owner.idle();
  expect(await wakingRows()).toBe(0);
  expect(running(waiting)).toBe(gated);
  expect(running(asleep)).toBe(sleepers);
  for (const results of (await given(asleep)).values()) expect(results).toHaveLength(1);
  // One for the event, two for the steps, three for the durable tasks; the end of each may stand alone.
  expect(transactions).toBeGreaterThanOrEqual(6);
});

it('an event that few wait for takes one transaction, and leaves no row', async () => {
  const [asleep, waiting] = [await fallAsleep(20), await trigger('gated', 20)];
  let transactions = 0;
  committed = () => transactions++;
  await push();
  expect([transactions, await wakingRows(), running(asleep), running(waiting)]).toEqual([1, 0, 20, 20]);
});

it('goes on after the end of its engine, wherever that was, and wakes none twice', async () => {
  const [asleep, waiting] = [await fallAsleep(sleepers), await trigger('gated', gated)];
  for (let restarts = 0, rows = 1; rows > 0; restarts++) {
    if (restarts > 50) throw new Error('the waking never ends');
    let stopped: Promise<void> | undefined;
    let left = 2;
    committed = () => {
      if (--left === 0) stopped = world.owner.stop();
    };
    if (restarts === 0) await push('{"n":1}').catch(() => undefined);
    await world.owner.idle();
    await stopped;
    committed = () => undefined;
    rows = await wakingRows();
    await restart();
  }
  await world.present(workerId);
  await world.owner.idle();
  for (const results of (await given(asleep)).values()) expect(results).toHaveLength(1);
  expect(running(waiting)).toBe(gated);
  expect(running(asleep)).toBe(sleepers);
});

it('a later event overtakes none that wakes still, though few wait by then, and it is stored at once', async () => {
  const asleep = await fallAsleep(sleepers);
  let second: Promise<string> | undefined;
  let left = 3;
  committed = () => {
    // The event, and two pages: the last fifty wait still.
    if (--left === 0) second = push('{"n":2}');
  };
  await push('{"n":1}');
  await world.owner.idle();
  const { rows } = await client.query('SELECT id FROM event WHERE id = $1', [await second]);
  expect(rows).toHaveLength(1);
  expect(await wakingRows()).toBe(0);
  const results = [...(await given(asleep)).values()].map((each) => JSON.stringify(each));
  expect(results).toEqual(asleep.map(() => JSON.stringify([{ CREATE: { e: [{ n: 1 }] } }])));
});

it('what begins to listen while an event wakes others is left to the next one, after a restart too', async () => {
  const asleep = await fallAsleep(sleepers);
  const [late] = await trigger('sleeper', 1);
  if (late === undefined) throw new Error('no task was made');
  let hasAsked: Promise<void> | undefined;
  let stopped: Promise<void> | undefined;
  let left = 3;
  committed = () => {
    left--;
    if (left === 1) hasAsked = listen(late, 'go');
    if (left === 0) stopped = world.owner.stop();
  };
  await push('{"n":1}');
  await world.owner.idle();
  await hasAsked;
  await stopped;
  committed = () => undefined;
  expect(await wakingRows()).toBe(1);
  await restart();
  await world.owner.idle();
  expect(await wakingRows()).toBe(0);
  const results = await given([...asleep, late]);
  expect(results.get(late)).toEqual([]);
  for (const taskId of asleep) expect(results.get(taskId)).toHaveLength(1);
  await push('{"n":2}');
  expect((await given([late])).get(late)).toHaveLength(1);
});

it('of those whose expressions it does not meet none is woken, and all are looked at', async () => {
  const [meant, others] = [
    await fallAsleep(sleepers, 'input.n > 1.0'),
    await fallAsleep(sleepers, 'input.n > 2.0 && input.n < 9.0'),
  ];
  await push('{"n":2}');
  await world.owner.idle();
  expect([running(meant), running(others)]).toEqual([sleepers, 0]);
  expect(await wakingRows()).toBe(0);
});

it('a tenant that is deleted meanwhile has nothing left in memory, and no row', async () => {
  const asleep = await fallAsleep(sleepers);
  const emptied: Promise<boolean>[] = [];
  committed = () => {
    if (emptied.length === 0) emptied.push(emptyMemory(world.owner, world.tenantId, new AbortController().signal));
  };
  await Promise.all([push(), push()]);
  expect(await emptied[0]).toBe(true);
  expect(await wakingRows()).toBe(0);
  expect(running(asleep)).toBe(0);
});

it('the longer a payload is, the fewer it wakes in one transaction', async () => {
  const asleep = await fallAsleep(10);
  let transactions = 0;
  committed = () => transactions++;
  await push(JSON.stringify({ long: 'x'.repeat(400_000) }));
  await world.owner.idle();
  expect(running(asleep)).toBe(10);
  expect(transactions).toBeGreaterThanOrEqual(6);
});
