import { waitFingerprint } from '../../../engine/model/durable/fingerprint.ts';
import { type Client, Pool } from 'pg';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLog } from '../../../engine/base/log.ts';
import { EntryKind, type DurableCondition } from '../../../engine/model/durable/durable.ts';
import { LiveState } from '../../../engine/model/task/live-state.ts';
import { shardOf } from '../../../engine/model/ids/shard-of.ts';
import { RunStatus } from '../../../engine/model/task/status.ts';
import { connectionConfig } from '../../../engine/postgres/connect.ts';
import { readShortLogs } from '../../../engine/shard/facts/stored-durable-logs.ts';
import { LongLogs } from '../../../engine/shard/facts/long-durable-logs.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { NodeResults } from '../../../engine/monitor/durable/node-results.ts';
import type { DurableAsk, DurableAskReply } from '../../../engine/model/durable/durable-operation.ts';
import type { TriggerRun } from '../../../engine/model/task/trigger-run.ts';
import { branchTask } from '../../../engine/shard/prepare/branch-task.ts';
import { prepareRun } from '../../../engine/shard/prepare/prepare-run.ts';
import { childName } from '../../../engine/shard/prepare/child-ids.ts';
import { replayIds } from '../../../engine/bulk/replay-ids.ts';
import { neighbourOf } from '../../helpers/neighbour.ts';
import { OwnerWorld } from '../../helpers/owner-world.ts';
import { stepOf, workflowOf } from '../../helpers/planner-world.ts';
import { patient } from '../../helpers/patient.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';

const database = databaseFixture();
let client: Client;
let world: OwnerWorld;
let workerId: string;
let requests = 0;

beforeAll(() => void ({ client } = database));

beforeEach(async () => {
  world = await OwnerWorld.start(database.url);
  for (const definition of [
    workflowOf('long', [
      stepOf('one', { action: 'wf:long', durable: true, slots: { durable: 1 }, executionTimeoutMs: 600_000 }),
    ]),
    workflowOf('kid', [stepOf('one', { action: 'kid:one' })]),
  ])
    await world.define(definition);
  workerId = await world.register({ durable: 100, default: 100 }, ['wf:long', 'kid:one']);
});

afterEach(async () => world.owner.stop());

/** Another engine takes over: all that it knows comes from Postgres. */
async function restart(meanwhile?: () => Promise<void>): Promise<void> {
  const { tenantId, effects } = world;
  await world.owner.stop();
  await meanwhile?.();
  world = await OwnerWorld.start(database.url, { tenantId });
  world.effects.push(...effects);
  await world.present(workerId);
}

async function trigger(): Promise<string> {
  const run = await prepareRun(world.owner, world.tenantId, {
    workflowName: 'long',
    input: '{}',
    metadata: '',
    priority: undefined,
  });
  await world.owner.submit({
    kind: 'trigger',
    tenantId: world.tenantId,
    runs: [run],
  });
  return run.runId;
}

const sleep = (ms: number): DurableCondition => ({ kind: 'sleep', ms, duration: `${ms}ms`, group: 0, dataKey: 's' });
const event = (key: string, options: Partial<Extract<DurableCondition, { kind: 'event' }>> = {}): DurableCondition => ({
  kind: 'event',
  eventKey: key,
  scope: null,
  expression: '',
  sinceMs: null,
  group: 0,
  dataKey: 'e',
  ...options,
});

function wait(...conditions: DurableCondition[]): DurableAsk {
  return {
    kind: 'wait',
    fingerprint: waitFingerprint(conditions),
    asked: { kind: 'wait', conditions, label: null },
  };
}

async function spawn(taskId: string, index: number): Promise<DurableAsk> {
  const request = {
    workflowName: 'kid',
    input: '{}',
    metadata: '',
    priority: undefined,
    parentTaskId: taskId,
    childIndex: index,
  };
  const run = await prepareRun(world.owner, world.tenantId, request);
  return { kind: 'children', children: [{ run, workflow: 'kid', name: childName(request) ?? '', fingerprint: 'kid' }] };
}

/** As if the task had asked for memos, up to so many operations. While no owner has the shard. */
async function lengthen(taskId: string, nodes: number): Promise<void> {
  const shard = shardOf(world.tenantId);
  await client.query(
    `INSERT INTO durable_entry (task_id, branch, node, kind, fingerprint, asked, invocation, seq)
     SELECT $1, 1, n, $2, 'memo ' || n, json_build_object('kind', 'memo', 'key', 'memo ' || n)::text, 1, s.last_seq + n
     FROM shard s, generate_series(3, $3::integer) AS n WHERE s.id = $4`,
    [taskId, EntryKind.Memo, nodes, shard],
  );
  await client.query(
    `INSERT INTO durable_result (task_id, branch, node, condition, seq, status, payload)
     SELECT $1, 1, n, -1, s.last_seq + n, 3, '1' FROM shard s, generate_series(3, $2::integer) AS n WHERE s.id = $3`,
    [taskId, nodes, shard],
  );
  await client.query('UPDATE shard SET last_seq = last_seq + $1 WHERE id = $2', [nodes + 1, shard]);
}

/** Connections that read logs beside the lane. */
async function readers(): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `SELECT count(*)::integer AS count FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'hatchet logs'`,
  );
  return rows[0]?.count ?? 0;
}

function kid(parentTaskId?: string): Promise<TriggerRun> {
  return prepareRun(world.owner, world.tenantId, {
    workflowName: 'kid',
    input: '{}',
    metadata: '',
    priority: undefined,
    parentTaskId,
  });
}

function rowOf(taskId: string): number {
  return world.owner.stateOf(world.tenantId)?.tasks.find(taskId) ?? -1;
}

function stateOf(taskId: string): number | undefined {
  return world.owner.stateOf(world.tenantId)?.tasks.state[rowOf(taskId)];
}

function invocationOf(taskId: string): number {
  return world.owner.stateOf(world.tenantId)?.tasks.invocation[rowOf(taskId)] ?? 0;
}

async function ask(
  taskId: string,
  what: DurableAsk,
  invocation = invocationOf(taskId),
): Promise<DurableAskReply | undefined> {
  const request = ++requests;
  await world.owner.submit({
    kind: 'durableAsk',
    tenantId: world.tenantId,
    workerId,
    taskId,
    invocation,
    stream: 1,
    request,
    ask: what,
  });
  return world.effects
    .flatMap((effect) => (effect.kind === 'durableAnswer' && effect.request === request ? [effect.reply] : []))
    .at(-1);
}

async function evict(taskId: string): Promise<void> {
  await world.owner.submit({
    kind: 'durableEvict',
    tenantId: world.tenantId,
    workerId,
    taskId,
    invocation: invocationOf(taskId),
    reason: 'ttl',
  });
}

async function push(key: string, payload = '{}', scope: string | null = null): Promise<void> {
  await world.owner.submit({
    kind: 'pushEvent',
    tenantId: world.tenantId,
    events: [{ id: newId(), key, scope, payload, metadata: '{}', runs: [] }],
  });
}

function told(taskId: string, invocation: number): number[] {
  return world.effects.flatMap((effect) =>
    effect.kind === 'durableResult' && effect.taskId === taskId && effect.invocation === invocation
      ? [effect.node]
      : [],
  );
}

describe('durable tasks on Postgres', () => {
  it('a child asks for an idempotency key that another run holds since before a restart', async () => {
    const idempotency = { key: newId(), ttlUs: 3_600_000_000, byStatus: false };
    const holder = { ...(await kid()), idempotency };
    await world.owner.submit({ kind: 'trigger', tenantId: world.tenantId, runs: [holder] });
    const taskId = await trigger();
    await restart();
    const child = { ...(await kid(taskId)), idempotency };
    const reply = await ask(taskId, {
      kind: 'children',
      children: [{ run: child, workflow: 'kid', name: '', fingerprint: 'kid' }],
    });
    expect(reply).toMatchObject({ kind: 'ok', refs: [{ node: 1 }] });
    expect(told(taskId, 1)).toEqual([1]);
    const { rows } = await client.query(`SELECT id FROM run WHERE id = ANY ($1::uuid[])`, [
      [holder.runId, child.runId],
    ]);
    expect(rows).toEqual([{ id: holder.runId }]);
  });

  it('an evicted task is woken by an event that its memory knows nothing of, over restarts', async () => {
    const taskId = await trigger();
    await ask(taskId, wait(event('go', { expression: 'input.n == 2.0' })));
    await evict(taskId);
    await restart();
    await push('go', '{"n":1}');
    expect(stateOf(taskId)).toBe(LiveState.Evicted);
    await push('go', '{"n":2}');
    expect(stateOf(taskId)).toBe(LiveState.Running);
    expect(invocationOf(taskId)).toBe(2);
    expect(await ask(taskId, wait(event('go', { expression: 'input.n == 2.0' })))).toMatchObject({
      kind: 'ok',
      refs: [{ node: 1, done: true }],
    });
    expect(told(taskId, 2)).toEqual([1]);
    await world.complete(taskId);
    const { rows } = await client.query('SELECT 1 FROM durable_listen WHERE task_id = $1', [taskId]);
    expect(rows).toEqual([]);
  });

  it('a sleep goes on over a restart, and wakes the task off its worker', async () => {
    const taskId = await trigger();
    await ask(taskId, wait(sleep(300)));
    await evict(taskId);
    await restart();
    await vi.waitFor(() => expect(stateOf(taskId)).toBe(LiveState.Running), patient);
    await world.owner.idle(); // memory is ahead of its commit
    const { rows } = await client.query<{ us: string }>(
      'SELECT r.seq - e.seq AS us FROM durable_entry e JOIN durable_result r USING (task_id, branch, node) WHERE e.task_id = $1',
      [taskId],
    );
    expect(Number(rows[0]?.us)).toBeGreaterThanOrEqual(300_000);
  });

  it('a sleep goes on while the task stays on its worker over a restart: its next word brings the log in', async () => {
    const taskId = await trigger();
    await ask(taskId, wait(sleep(200)));
    await restart();
    await world.owner.submit({
      kind: 'durableStatus',
      tenantId: world.tenantId,
      workerId,
      tasks: [{ taskId, invocation: 1, nodes: [{ branch: 1, node: 1 }] }],
    });
    await vi.waitFor(() => expect(told(taskId, 1)).toEqual([1]), patient);
    // How far it had come is known: its newest node is its own.
    expect(await ask(taskId, wait(sleep(1)))).toMatchObject({ kind: 'ok', refs: [{ node: 2 }] });
  });

  it('an invocation that was in the middle of a replay when the engine died starts again', async () => {
    const taskId = await trigger();
    await ask(taskId, wait(event('a')));
    await push('a');
    await ask(taskId, wait(event('b')));
    await evict(taskId);
    await push('b');
    expect(await ask(taskId, wait(event('a')))).toMatchObject({ kind: 'ok', refs: [{ node: 1 }] });
    await restart();
    expect(await ask(taskId, wait(event('b')))).toMatchObject({ kind: 'stale' });
    expect([stateOf(taskId), invocationOf(taskId)]).toEqual([LiveState.Running, 3]);
    expect(await ask(taskId, wait(event('a')))).toMatchObject({ kind: 'ok', refs: [{ node: 1 }] });
    expect(await ask(taskId, wait(event('b')))).toMatchObject({ kind: 'ok', refs: [{ node: 2 }] });
    expect(told(taskId, 3)).toEqual([1, 2]);
  });

  it('a child that ends after a restart satisfies its node; asked for again, it is the same child', async () => {
    const taskId = await trigger();
    const spawned = await ask(taskId, await spawn(taskId, 0));
    const childId = spawned?.kind === 'ok' ? (spawned.refs[0]?.childRunId ?? '') : '';
    await evict(taskId);
    await restart();
    await world.complete(childId, 0, '{"kid":1}');
    expect(stateOf(taskId)).toBe(LiveState.Running);
    const again = await ask(taskId, await spawn(taskId, 0));
    expect(again).toMatchObject({ kind: 'ok', refs: [{ node: 1, childRunId: childId, done: true }] });
    const { rows } = await client.query('SELECT id FROM run WHERE parent_task_id = $1', [taskId]);
    expect(rows).toEqual([{ id: childId }]);
  });

  it('a child that ends after its parent did is there when the parent is replayed', async () => {
    const taskId = await trigger();
    const spawned = await ask(taskId, await spawn(taskId, 0));
    const childId = spawned?.kind === 'ok' ? (spawned.refs[0]?.childRunId ?? '') : '';
    await world.complete(taskId);
    await restart();
    await world.complete(childId);
    expect(await replayIds(world.owner, world.tenantId, [taskId])).toEqual([taskId]);
    expect(invocationOf(taskId)).toBe(2);
    expect(await ask(taskId, await spawn(taskId, 0))).toMatchObject({ kind: 'ok', refs: [{ done: true }] });
    expect(told(taskId, 2)).toEqual([1]);
  });

  it('an event reads the logs of those sleepers alone that it may concern', async () => {
    const waits = {
      mine: event('approval', { scope: 'a', expression: 'input.id == 1' }),
      otherScope: event('approval', { scope: 'b' }),
      otherId: event('approval', { scope: 'a', expression: 'input.id == 2' }),
      otherKind: event('approval', { expression: 'input.kind.startsWith("x")' }),
      wide: event('approval', { scope: 'a', expression: 'input.kind == "y" && input.id == 3' }),
    };
    const taskIds: Record<string, string> = {};
    for (const [name, condition] of Object.entries(waits)) {
      const taskId = await trigger();
      await ask(taskId, wait(condition));
      await evict(taskId);
      taskIds[name] = taskId;
    }
    // A log that cannot be read fails what reads it.
    await client.query(`UPDATE durable_entry SET asked = 'no JSON' WHERE task_id = ANY ($1)`, [
      [taskIds['otherScope'], taskIds['otherId'], taskIds['otherKind']],
    ]);
    await push('approval', '{"id":1,"kind":"y"}', 'a');
    expect(['mine', 'wide'].map((name) => stateOf(taskIds[name] ?? ''))).toEqual([
      LiveState.Running,
      LiveState.Evicted,
    ]);
    await push(
      'approval',
      JSON.stringify({
        id: 3,
        kind: 'y',
        ...Object.fromEntries(Array.from({ length: 1_500 }, (_, n) => [`f${n}`, n])),
      }),
      'a',
    );
    expect(stateOf(taskIds['wide'] ?? '')).toBe(LiveState.Running);
    for (const [payload, scope] of [
      ['{"id":0,"kind":"y"}', 'b'],
      ['{"id":2,"kind":"y"}', 'a'],
      ['{"id":0,"kind":"xy"}', null],
    ] as const)
      await expect(push('approval', payload, scope), payload).rejects.toMatchObject({ code: 'COMMAND_FAILED' });
  });

  it('conditions of one wait listen each for themselves, and those of an older schema for every event of their key', async () => {
    const either = wait(
      event('go', { scope: 'a', expression: 'input.n == 1' }),
      event('go', { scope: 'b' }),
      event('stop'),
    );
    for (const [key, payload, scope] of [
      ['go', '{"n":1}', 'a'],
      ['go', '{}', 'b'],
      ['stop', '{}', null],
    ] as const) {
      for (const old of [false, true]) {
        const taskId = await trigger();
        await ask(taskId, either);
        await evict(taskId);
        if (old) {
          await client.query(`DELETE FROM durable_listen WHERE task_id = $1 AND condition = 1`, [taskId]);
          await client.query(`UPDATE durable_listen SET scope = '', guard = 0, expression = '' WHERE task_id = $1`, [
            taskId,
          ]);
        }
        await push('go', '{"n":2}', 'a');
        await push('go', '{"n":1}', 'c');
        expect(stateOf(taskId)).toBe(LiveState.Evicted);
        await push(key, payload, scope);
        expect(stateOf(taskId)).toBe(LiveState.Running);
        await world.complete(taskId);
      }
    }
  });

  it('looks back for the oldest event of the scope that the expression lets through, in the same batch too', async () => {
    const taskId = await trigger();
    await push('early', '{"n":1}', 's');
    await push('early', '{"n":5}', 's');
    await push('early', '{"n":6}', 's');
    const condition = event('early', { scope: 's', expression: 'input.n > 2.0', sinceMs: Date.now() - 60_000 });
    expect(await ask(taskId, wait(condition))).toMatchObject({ kind: 'ok', refs: [{ done: false }] });
    expect(told(taskId, 1)).toEqual([1]);
    const { rows } = await client.query<{ payload: string }>('SELECT payload FROM durable_result WHERE task_id = $1', [
      taskId,
    ]);
    expect(rows.map((row) => row.payload)).toEqual(['{"CREATE":{"e":[{"n":5}]}}']);
    const other = event('same', { scope: 's', sinceMs: Date.now() - 60_000 });
    await Promise.all([push('same', '{"n":7}', 's'), ask(taskId, wait(other))]);
    expect(told(taskId, 1)).toEqual([1, 2]);
  });

  it('a child gives the same result to two who ask for it at once', async () => {
    const taskId = await trigger();
    const asked = await spawn(taskId, 0);
    await ask(taskId, asked);
    await world.complete(asked.kind === 'children' ? (asked.children[0]?.run.runId ?? '') : '', 0, '{"kid":1}');
    const pool = new Pool({ connectionString: database.url });
    try {
      const results = new NodeResults(pool);
      expect(await Promise.all([1, 1].map(async (node) => results.read({ taskId, branch: 1, node })))).toEqual(
        [1, 2].map(() => ({ output: '{"kid":1}', error: null })),
      );
    } finally {
      await pool.end();
    }
  });

  it('branches of an ended task are kept over a restart', async () => {
    const taskId = await trigger();
    await ask(taskId, wait(event('x')));
    await push('x');
    await ask(taskId, wait(event('y')));
    await push('y');
    await world.complete(taskId);
    await restart();
    expect(await branchTask(world.owner, { tenantId: world.tenantId, taskId, branch: 0, node: 2 })).toEqual({
      branch: 2,
      node: 2,
    });
    await restart();
    // It runs already, and nobody knows how far it had come.
    expect(await ask(taskId, wait(event('x')))).toMatchObject({ kind: 'stale' });
    expect(await ask(taskId, wait(event('x')))).toMatchObject({
      kind: 'ok',
      refs: [{ branch: 1, node: 1, done: true }],
    });
    expect(await ask(taskId, wait(event('z')))).toMatchObject({
      kind: 'ok',
      refs: [{ branch: 2, node: 2, done: false }],
    });
    await expect(branchTask(world.owner, { tenantId: world.tenantId, taskId, branch: 1, node: 9 })).rejects.toThrow(
      'no node 9',
    );
    // Not even of how long its log is does another tenant hear.
    const strangers = [newId(), neighbourOf(world.tenantId)];
    for (const tenantId of strangers)
      for (const node of [1, 9])
        await expect(branchTask(world.owner, { tenantId, taskId, branch: 1, node })).rejects.toThrow(
          `there is no task run ${taskId}`,
        );
    await world.complete(taskId, 1);
    expect(world.memory()).toEqual([]);
    for (const tenantId of strangers)
      await expect(branchTask(world.owner, { tenantId, taskId, branch: 1, node: 1 })).rejects.toThrow(
        `there is no task run ${taskId}`,
      );
  });

  it('branches that are asked for at once get numbers of their own, and the task goes on on the newest', async () => {
    const taskId = await trigger();
    await ask(taskId, wait(event('x')));
    await push('x');
    await ask(taskId, wait(event('y')));
    const branch = (node: number): Promise<unknown> =>
      branchTask(world.owner, { tenantId: world.tenantId, taskId, branch: 1, node });
    const made = await Promise.all([branch(2), branch(1), branch(2)]);
    expect(made).toEqual([
      { branch: 2, node: 2 },
      { branch: 3, node: 1 },
      { branch: 4, node: 2 },
    ]);
    const { rows } = await client.query(
      "SELECT branch, asked::json ->> 'first' AS first FROM durable_entry WHERE task_id = $1 AND kind = 0 ORDER BY branch",
      [taskId],
    );
    expect(rows).toEqual([
      { branch: 2, first: '2' },
      { branch: 3, first: '1' },
      { branch: 4, first: '2' },
    ]);
    expect(await ask(taskId, wait(event('x')))).toMatchObject({
      kind: 'ok',
      refs: [{ branch: 1, node: 1, done: true }],
    });
    expect(await ask(taskId, wait(event('z')))).toMatchObject({
      kind: 'ok',
      refs: [{ branch: 4, node: 2, done: false }],
    });
  });

  it('a log too long for the lane wakes and replays as any other, with what comes while it is read', async () => {
    const taskId = await trigger();
    await ask(taskId, await spawn(taskId, 0));
    await ask(taskId, wait(event('go')));
    await evict(taskId);
    await restart(() => lengthen(taskId, 3000));
    const [child] = (await client.query<{ id: string }>('SELECT id FROM run WHERE parent_task_id = $1', [taskId])).rows;
    expect(await readers()).toBe(0);
    await Promise.all([push('go'), world.complete(child?.id ?? '')]);
    expect(stateOf(taskId)).toBe(LiveState.Running);
    expect(await readers()).toBe(1);
    const done = { kind: 'ok', refs: [{ done: true }] };
    expect(await ask(taskId, await spawn(taskId, 0))).toMatchObject(done);
    expect(await ask(taskId, wait(event('go')))).toMatchObject(done);
    for (let n = 3; n <= 3000; n++)
      if ((await ask(taskId, { kind: 'memo', key: `memo ${n}`, payload: null }))?.kind !== 'ok')
        throw new Error(`memo ${n} is another`);
    expect(told(taskId, 2)).toHaveLength(3000);
  });

  it('that continued as new needs no node of before', async () => {
    const taskId = await trigger();
    for (let n = 1; n <= 5; n++) await ask(taskId, { kind: 'memo', key: `memo ${n}`, payload: '1' });
    await world.owner.submit({
      kind: 'durableContinue',
      tenantId: world.tenantId,
      workerId: null,
      taskId,
      invocation: 1,
      input: '{"n":2}',
    });
    await ask(taskId, wait(event('go')));
    await evict(taskId);
    const parts = [{ taskId, oldestBranch: 2 }];
    const { logs } = await readShortLogs(client, parts, null);
    expect(logs.get(taskId)?.entries.map(({ branch, node }) => [branch, node])).toEqual([[2, 1]]);
    const long = new LongLogs(connectionConfig(database.url, 'test'), createLog('silent'));
    await long.read({ taskId, oldestBranch: 2 });
    expect(await long.take(client, { taskId, oldestBranch: 1 })).toBeUndefined(); // a branch from before wants all of it
    await long.read({ taskId, oldestBranch: 2 });
    expect((await long.take(client, { taskId, oldestBranch: 2 }))?.at(2, 1)).toBeDefined();
    await long.close();
    await restart();
    await push('go');
    expect(await ask(taskId, wait(event('go')))).toMatchObject({
      kind: 'ok',
      refs: [{ branch: 2, node: 1, done: true }],
    });
  });

  it('a long log holds what was committed after it was read', async () => {
    const taskId = await trigger();
    await ask(taskId, await spawn(taskId, 0));
    await ask(taskId, wait(event('go'), event('also')));
    await evict(taskId);
    await restart(() => lengthen(taskId, 1200));
    const logs = new LongLogs(connectionConfig(database.url, 'test'), createLog('silent'));
    await logs.read({ taskId, oldestBranch: 1 });
    const [child] = (await client.query<{ id: string }>('SELECT id FROM run WHERE parent_task_id = $1', [taskId])).rows;
    await world.complete(child?.id ?? '');
    await ask(taskId, await spawn(taskId, 0));
    await ask(taskId, wait(event('go'), event('also')));
    const log = await logs.take(client, { taskId, oldestBranch: 1 });
    expect(log?.entries).toHaveLength(1200);
    expect(log?.at(1, 1)?.result).toMatchObject({ status: RunStatus.Completed });
    expect(log?.at(1, 2)?.result).toBeNull();
    expect(await logs.take(client, { taskId, oldestBranch: 1 })).toBeUndefined();
    await logs.close();
  });
});
