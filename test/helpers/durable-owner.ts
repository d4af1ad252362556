import { afterEach, beforeEach } from 'vitest';
import { EntryKind, type DurableCondition } from '../../engine/model/durable/durable.ts';
import type { DurableAsk, DurableAskReply } from '../../engine/model/durable/durable-operation.ts';
import { waitFingerprint } from '../../engine/model/durable/fingerprint.ts';
import { shardOf } from '../../engine/model/ids/shard-of.ts';
import { newId } from '../../engine/model/ids/uuid.ts';
import type { TriggerRun } from '../../engine/model/task/trigger-run.ts';
import { childName } from '../../engine/shard/prepare/child-ids.ts';
import { prepareRun } from '../../engine/shard/prepare/prepare-run.ts';
import { databaseFixture, type DatabaseFixture } from './database-fixture.ts';
import { OwnerWorld } from './owner-world.ts';
import { stepOf, workflowOf } from './planner-world.ts';

/** An owner on Postgres with a durable workflow, one worker, and the words of a worker to it. */
export let database: DatabaseFixture;
export let world: OwnerWorld;
export let workerId: string;
let requests = 0;

/** For the tests of the file that calls it, each with an owner and a tenant of its own. */
export function setUpDurableOwner(): void {
  database = databaseFixture();
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
  afterEach(() => world.owner.stop());
}

/** Another engine takes over: all that it knows comes from Postgres. */
export async function restart(meanwhile?: () => Promise<void>): Promise<void> {
  const { tenantId, effects } = world;
  await world.owner.stop();
  await meanwhile?.();
  world = await OwnerWorld.start(database.url, { tenantId });
  world.effects.push(...effects);
  await world.present(workerId);
}

export async function trigger(): Promise<string> {
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

export const sleep = (ms: number): DurableCondition => ({
  kind: 'sleep',
  ms,
  duration: `${ms}ms`,
  group: 0,
  dataKey: 's',
});
export const event = (
  key: string,
  options: Partial<Extract<DurableCondition, { kind: 'event' }>> = {},
): DurableCondition => ({
  kind: 'event',
  eventKey: key,
  scope: null,
  expression: '',
  sinceMs: null,
  group: 0,
  dataKey: 'e',
  ...options,
});

export function wait(...conditions: DurableCondition[]): DurableAsk {
  return {
    kind: 'wait',
    fingerprint: waitFingerprint(conditions),
    asked: { kind: 'wait', conditions, label: null },
  };
}

export async function spawn(taskId: string, index: number): Promise<DurableAsk> {
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
export async function lengthen(taskId: string, nodes: number): Promise<void> {
  const shard = shardOf(world.tenantId);
  await database.client.query(
    `INSERT INTO durable_entry (task_id, branch, node, kind, fingerprint, asked, invocation, seq)
     SELECT $1, 1, n, $2, 'memo ' || n, json_build_object('kind', 'memo', 'key', 'memo ' || n)::text, 1, s.last_seq + n
     FROM shard s, generate_series(3, $3::integer) AS n WHERE s.id = $4`,
    [taskId, EntryKind.Memo, nodes, shard],
  );
  await database.client.query(
    `INSERT INTO durable_result (task_id, branch, node, condition, seq, status, payload)
     SELECT $1, 1, n, -1, s.last_seq + n, 3, '1' FROM shard s, generate_series(3, $2::integer) AS n WHERE s.id = $3`,
    [taskId, nodes, shard],
  );
  await database.client.query('UPDATE shard SET last_seq = last_seq + $1 WHERE id = $2', [nodes + 1, shard]);
}

/** Connections that read logs beside the lane. */
export async function readers(): Promise<number> {
  const { rows } = await database.client.query<{ count: number }>(
    `SELECT count(*)::integer AS count FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'hatchet logs'`,
  );
  return rows[0]?.count ?? 0;
}

export async function kid(parentTaskId?: string): Promise<TriggerRun> {
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

export function stateOf(taskId: string): number | undefined {
  return world.owner.stateOf(world.tenantId)?.tasks.state[rowOf(taskId)];
}

export function invocationOf(taskId: string): number {
  return world.owner.stateOf(world.tenantId)?.tasks.invocation[rowOf(taskId)] ?? 0;
}

export async function ask(
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

export async function evict(taskId: string): Promise<void> {
  await world.owner.submit({
    kind: 'durableEvict',
    tenantId: world.tenantId,
    workerId,
    taskId,
    invocation: invocationOf(taskId),
    reason: 'ttl',
  });
}

export async function push(key: string, payload = '{}', scope: string | null = null): Promise<void> {
  await world.owner.submit({
    kind: 'pushEvent',
    tenantId: world.tenantId,
    events: [{ id: newId(), key, scope, payload, metadata: '{}', runs: [] }],
  });
}

export function told(taskId: string, invocation: number): number[] {
  return world.effects.flatMap((effect) =>
    effect.kind === 'durableResult' && effect.taskId === taskId && effect.invocation === invocation
      ? [effect.node]
      : [],
  );
}
