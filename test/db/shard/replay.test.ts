import type { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Condition, StepDefinition, WorkflowDefinition } from '../../../engine/model/definition.ts';
import { RunStatus } from '../../../engine/model/task/status.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { listRunSummaries } from '../../../engine/monitor/runs/run-list.ts';
import { readRunDetail } from '../../../engine/monitor/runs/run-detail.ts';
import { createPool } from '../../../engine/postgres/connect.ts';
import { createLog } from '../../../engine/base/log.ts';
import { replayIds } from '../../../engine/bulk/replay-ids.ts';
import { prepareRun } from '../../../engine/shard/prepare/prepare-run.ts';
import { liveRows, OwnerWorld } from '../../helpers/owner-world.ts';
import { RivalOwner } from '../../helpers/rival-owner.ts';
import { stepOf, workflowOf } from '../../helpers/planner-world.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';
import { valueAt } from '../../helpers/row-of.ts';
import type { TenantId } from '../../../engine/model/ids/tenant-id.ts';

const database = databaseFixture();
let client: Client;
let pool: ReturnType<typeof createPool>;

beforeAll(async () => {
  ({ client } = database);
  pool = createPool(database.url, { name: 'test reads', max: 2, statementMs: 30_000, log: createLog('silent') });
});

let worlds: OwnerWorld[] = [];

/** An owner that is stopped with the test, if not before. */
async function start(options: { tenantId?: TenantId } = {}): Promise<OwnerWorld> {
  const world = await OwnerWorld.start(database.url, options);
  worlds.push(world);
  return world;
}

afterEach(async () => {
  for (const world of worlds) await world.owner.stop();
  worlds = [];
});

afterAll(() => pool.end());

async function put(
  world: OwnerWorld,
  steps: StepDefinition[],
  options: Partial<WorkflowDefinition> = {},
): Promise<void> {
  const definition = workflowOf('dag', steps, options);
  await world.owner.submit({
    kind: 'putWorkflow',
    tenantId: world.tenantId,
    definition,
    checksum: newId(),
    workflowId: newId(),
    versionId: newId(),
    filterIds: [],
    crons: [],
  });
}

async function register(
  world: OwnerWorld,
  actions: string[],
  labels: Record<string, string | number> = {},
): Promise<string> {
  const workerId = newId();
  await world.owner.submit({
    kind: 'registerWorker',
    tenantId: world.tenantId,
    workerId,
    name: 'w',
    actions,
    slots: { default: 10 },
    labels,
    runtime: {},
  });
  await world.present(workerId);
  return workerId;
}

/** @returns the run's tasks, by step */
async function trigger(
  world: OwnerWorld,
  request: Partial<Parameters<typeof prepareRun>[2]> = {},
): Promise<{ runId: string; tasks: readonly string[] }> {
  const run = await prepareRun(world.owner, world.tenantId, {
    workflowName: 'dag',
    input: '{}',
    metadata: '{}',
    priority: undefined,
    ...request,
  });
  await world.owner.submit({
    kind: 'trigger',
    tenantId: world.tenantId,
    runs: [run],
  });
  return { runId: run.runId, tasks: run.taskIds };
}

function fail(world: OwnerWorld, taskId: string, attempt = 0): Promise<void> {
  return world.owner.submit({
    kind: 'failed',
    tenantId: world.tenantId,
    taskId,
    attempt,
    error: '{"message":"no"}',
    mayRetry: false,
  });
}

/** What memory knows of a run, without row numbers. */
function runImage(world: OwnerWorld, runId: string): unknown {
  const state = world.owner.stateOf(world.tenantId);
  const run = state?.runs[state.runsById.get(runId) ?? -1];
  if (state === undefined || run === undefined) return undefined;
  const waits = run.taskIds.map((id) => {
    const row = state.tasks.find(id);
    return row === undefined ? undefined : state.waits.get(row);
  });
  return {
    generation: run.generation,
    outcomes: run.outcomes,
    skipped: [...run.skipped],
    unfinished: run.unfinished,
    rows: run.rows,
    ended: run.ended,
    taskIds: run.taskIds,
    waits,
  };
}

const status = async (world: OwnerWorld, runId: string): Promise<RunStatus | undefined> =>
  (await readRunDetail(pool, world.tenantId, runId, { bytes: 1000, data: true }))?.status;
const diamond = [
  stepOf('a'),
  stepOf('b', { parents: [0] }),
  stepOf('c', { parents: [0] }),
  stepOf('d', { parents: [1, 2] }),
];
const actions = ['wf:a', 'wf:b', 'wf:c', 'wf:d', 'wf:failed'];

describe('a waiting task', () => {
  it("sleeps on while no engine is up: wall time, not the shard's clock", async () => {
    const sleepy: Condition = {
      action: 'QUEUE',
      group: 0,
      expression: '',
      dataKey: 's',
      kind: 'sleep',
      ms: 3_600_000,
      duration: '1h',
    };
    const first = await start();
    await put(first, [stepOf('a', { conditions: [sleepy] })]);
    const { runId } = await trigger(first);
    const dueOf = (world: OwnerWorld): number => {
      const tasks = world.owner.stateOf(world.tenantId)?.tasks;
      return valueAt(tasks?.dueUs, tasks?.find(runId)) ?? 0;
    };
    const due = dueOf(first);
    expect(due).toBeGreaterThan(0);
    await first.owner.stop();
    await client.query(`UPDATE shard SET absent_since = absent_since - interval '20 minutes'`);
    const second = await start({ tenantId: first.tenantId });
    expect(dueOf(second)).toBe(due);
  });
});

describe('a replay', () => {
  it('survives a take-over in the middle of its generation: kept outcomes, open tasks, conditions', async () => {
    const skipWhenBig: Condition = {
      action: 'SKIP',
      group: 0,
      expression: 'output.n > 5.0',
      dataKey: 'd',
      kind: 'parent',
      parent: 1,
      whenSkipped: false,
    };
    const onEvent: Condition = {
      action: 'QUEUE',
      group: 0,
      expression: '',
      dataKey: 'go',
      kind: 'event',
      eventKey: 'go',
      scope: null,
    };
    const first = await start();
    await put(first, [
      stepOf('a'),
      stepOf('b', { parents: [0] }),
      stepOf('c', { parents: [1], conditions: [skipWhenBig] }),
      stepOf('d', { parents: [0], conditions: [onEvent] }),
    ]);
    const workerId = await register(first, actions);
    const { runId, tasks } = await trigger(first);
    const [a = '', b = '', c = '', d = ''] = tasks;
    await first.complete(a, 0, '{"first":true}');
    await first.complete(b, 0, '{"n":9}');
    const event = { id: newId(), key: 'go', scope: null, payload: '{"by":"ada"}', metadata: '{}', runs: [] };
    await first.owner.submit({
      kind: 'pushEvent',
      tenantId: first.tenantId,
      events: [event],
    });
    await first.complete(d, 0);
    expect(await status(first, runId)).toBe(RunStatus.Completed);

    expect((await replayIds(first.owner, first.tenantId, [b, d])).toSorted()).toEqual([b, c, d].toSorted());
    // Reopened before the call returned, in details and lists alike.
    expect(await status(first, runId)).toBe(RunStatus.Running);
    await first.complete(b, 1, '{"n":1}'); // c runs this time
    const image = runImage(first, runId);
    const memory = first.memory();
    expect(await liveRows(client, first.tenantId)).toEqual(memory);
    await first.owner.stop();
    const second = await start({ tenantId: first.tenantId });
    expect(runImage(second, runId)).toEqual(image);
    expect(second.memory()).toEqual(memory);
    await second.present(workerId);
    await second.complete(c, 1);
    await second.owner.submit({
      kind: 'pushEvent',
      tenantId: first.tenantId,
      events: [{ ...event, id: newId() }],
    });
    expect(second.effects.findLast((effect) => effect.kind === 'dispatch')).toMatchObject({
      taskId: d,
      attempt: 1,
      triggers: '{"go":{"by":"ada"}}',
    });
    await second.complete(d, 1);
    expect(await status(second, runId)).toBe(RunStatus.Completed);
    expect(second.memory()).toEqual([]);
    expect((await client.query('SELECT 1 FROM wait WHERE tenant_id = $1', [first.tenantId])).rows).toEqual([]);
  });

  it('reads as its newest generation: ended, reopened, and with a failure that was kept', async () => {
    const world = await start();
    await put(world, [stepOf('a'), stepOf('b')]);
    await register(world, actions);
    const { runId, tasks } = await trigger(world);
    const [a = '', b = ''] = tasks;
    await world.owner.submit({ kind: 'started', tenantId: world.tenantId, taskId: a, attempt: 0 });
    await world.complete(a, 0, '{"n":1}');
    await fail(world, b);
    const before = await readRunDetail(pool, world.tenantId, runId, { bytes: 1000, data: true });
    await replayIds(world.owner, world.tenantId, [a]);
    const filter = {
      tenantId: world.tenantId,
      statuses: [],
      workflowNames: [],
      workflowIds: [],
      sinceId: null,
      untilId: null,
      metadata: null,
      search: null,
      parentTaskIds: null,
      beforeId: null,
      limit: 10,
      payloadBytes: 1000,
    };
    const [open] = await listRunSummaries(pool, filter);
    expect(open).toMatchObject({ status: RunStatus.Running, finishedUs: null, error: null, startedUs: null });
    const detail = await readRunDetail(pool, world.tenantId, runId, { bytes: 1000, data: true });
    expect(detail?.finishedUs).toBeNull();
    expect(detail?.tasks.map((task) => [task.status, task.attempt, task.startedUs === null, task.output])).toEqual([
      [RunStatus.Running, 1, true, null],
      [RunStatus.Failed, 0, false, null],
    ]);
    expect(detail?.tasks[0]?.queuedUs).toBeGreaterThan(before?.tasks[0]?.finishedUs ?? Infinity);
    expect(detail?.tasks[1]).toEqual(before?.tasks[1]);
    await world.complete(a, 1, '{"n":2}');
    const [closed] = await listRunSummaries(pool, filter);
    expect(closed).toMatchObject({ status: RunStatus.Failed, error: '{"message":"no"}' });
    expect(closed?.startedUs).toBeGreaterThan(before?.finishedUs ?? Infinity);
  });

  it('keeps the labels and the worker that its trigger asked for', async () => {
    const world = await start();
    await put(world, diamond, { sticky: 'HARD' });
    await register(world, actions);
    const wanted = await register(world, actions, { gpu: 1 });
    const labels = [{ key: 'gpu', value: 1, comparator: 'EQUAL' as const, required: true, weight: 100 }];
    const { runId, tasks } = await trigger(world, { labels });
    for (const id of tasks) await world.complete(id);
    await replayIds(world.owner, world.tenantId, [runId]);
    for (const id of tasks) await world.complete(id, 1);
    const dispatched = world.effects.flatMap((effect) => (effect.kind === 'dispatch' ? [effect.workerId] : []));
    expect(dispatched).toEqual(Array.from({ length: 8 }, () => wanted));
    const asking = await trigger(world, { desiredWorkerId: wanted });
    await world.owner.submit({ kind: 'cancel', tenantId: world.tenantId, ids: [asking.runId] });
    await world.owner.submit({
      kind: 'cancelSent',
      tenantId: world.tenantId,
      taskId: asking.tasks[0] ?? '',
      attempt: 0,
    });
    await replayIds(world.owner, world.tenantId, [asking.runId]);
    expect(world.effects.findLast((effect) => effect.kind === 'dispatch')).toMatchObject({
      taskId: asking.tasks[0],
      attempt: 1,
      workerId: wanted,
    });
  });

  it('brings no more into one batch than is good, and still replays all', async () => {
    const world = await start();
    await put(world, [stepOf('a')], {
      concurrency: [
        {
          expression: 'input.key',
          strategy: 'GROUP_ROUND_ROBIN',
          maxRuns: 100,
          maxRunsExpression: null,
          sharedName: null,
        },
      ],
    });
    await register(world, actions);
    const input = JSON.stringify({ key: 'k', padding: 'x'.repeat(3 * 1024 * 1024) });
    const runs: string[] = [];
    for (let i = 0; i < 5; i++) runs.push((await trigger(world, { input })).runId);
    for (const runId of runs) await world.complete(runId);
    const reply = await world.owner.submit({
      kind: 'replay',
      tenantId: world.tenantId,
      ids: runs,
    });
    expect(reply).toEqual({ replayed: runs.slice(0, 3), deferred: runs.slice(3) });
    for (const runId of reply.replayed) await world.complete(runId, 1);
    expect((await replayIds(world.owner, world.tenantId, runs)).toSorted()).toEqual(runs);
    expect(world.effects.filter((effect) => effect.kind === 'dispatch')).toHaveLength(5 + 3 + 5);
  });

  it('whose first try another engine has seen through is not carried out again', async () => {
    const world = await start();
    await put(world, [stepOf('a')]);
    const workerId = await register(world, actions);
    const { runId } = await trigger(world);
    await world.complete(runId);
    // Another engine owns the shards when the batch comes to commit, and carries the same replay out.
    const rival = await RivalOwner.connect(database.url);
    await rival.take();
    const late = replayIds(world.owner, world.tenantId, [runId]);
    await expect.poll(() => world.owner.stateOf(world.tenantId)).toBeUndefined();
    await client.query(
      'INSERT INTO run_end (tenant_id, status, run_id, generation, seq) SELECT tenant_id, s, run_id, 2, seq + 1 FROM run_end, unnest(ARRAY[0, 3]) s WHERE run_id = $1',
      [runId],
    );
    await client.query(
      'INSERT INTO result (task_id, generation, status, attempt, seq, output) SELECT task_id, 2, status, 1, seq + 1, output FROM result WHERE task_id = $1',
      [runId],
    );
    await rival.leave();
    expect(await late).toEqual([]);
    expect(await status(world, runId)).toBe(RunStatus.Completed);
    // A new one is another matter.
    await world.present(workerId);
    expect(await replayIds(world.owner, world.tenantId, [runId])).toEqual([runId]);
    expect(world.effects.findLast((effect) => effect.kind === 'dispatch')).toMatchObject({
      taskId: runId,
      attempt: 2,
      generation: 3,
    });
  });

  it('of what cannot be read fails alone', async () => {
    const world = await start();
    await put(world, [stepOf('a')]);
    await register(world, actions);
    const [broken, whole] = [await trigger(world), await trigger(world)];
    for (const { runId } of [broken, whole]) await world.complete(runId);
    await client.query(`UPDATE run SET placement = 'no JSON' WHERE id = $1`, [broken.runId]);
    const [first, second, third] = await Promise.allSettled([
      replayIds(world.owner, world.tenantId, [broken.runId]),
      replayIds(world.owner, world.tenantId, [whole.runId]),
      trigger(world),
    ]);
    expect(first).toMatchObject({ status: 'rejected', reason: { code: 'COMMAND_FAILED' } });
    expect(second).toMatchObject({ status: 'fulfilled', value: [whole.runId] });
    expect(third.status).toBe('fulfilled');
  });

  it('stands in line behind what waited before it, over a take-over too', async () => {
    const first = await start();
    await put(first, [stepOf('a')]);
    const workerId = await register(first, actions);
    const again = await trigger(first);
    await first.complete(again.runId);
    await first.owner.submit({ kind: 'workerPresence', tenantId: first.tenantId, workerId, assignable: false });
    const waiting = await trigger(first);
    await replayIds(first.owner, first.tenantId, [again.runId]);
    await first.owner.stop();
    const second = await start({ tenantId: first.tenantId });
    await second.present(workerId);
    expect(second.effects.flatMap((effect) => (effect.kind === 'dispatch' ? [effect.taskId] : []))).toEqual([
      waiting.runId,
      again.runId,
    ]);
  });
});
