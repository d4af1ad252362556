import { describe, expect, it, vi } from 'vitest';
import { LiveState } from '../../../engine/model/task/live-state.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { branchTask } from '../../../engine/shard/prepare/branch-task.ts';
import { replayIds } from '../../../engine/bulk/replay-ids.ts';
import { neighbourOf } from '../../helpers/neighbour.ts';
import { patient } from '../../helpers/patient.ts';
import {
  ask,
  database,
  event,
  evict,
  invocationOf,
  kid,
  push,
  restart,
  setUpDurableOwner,
  sleep,
  spawn,
  stateOf,
  told,
  trigger,
  wait,
  workerId,
  world,
} from '../../helpers/durable-owner.ts';
import { newTenantId } from '../../../engine/model/ids/tenant-id.ts';

setUpDurableOwner();

describe('durable tasks, from one owner to the next', () => {
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
    const { rows } = await database.client.query(`SELECT id FROM run WHERE id = ANY ($1::uuid[])`, [
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
    const { rows } = await database.client.query('SELECT 1 FROM durable_listen WHERE task_id = $1', [taskId]);
    expect(rows).toEqual([]);
  });

  it('a sleep goes on over a restart, and wakes the task off its worker', async () => {
    const taskId = await trigger();
    await ask(taskId, wait(sleep(300)));
    await evict(taskId);
    await restart();
    await vi.waitFor(() => expect(stateOf(taskId)).toBe(LiveState.Running), patient);
    await world.owner.idle(); // memory is ahead of its commit
    const { rows } = await database.client.query<{ us: string }>(
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
    const { rows } = await database.client.query('SELECT id FROM run WHERE parent_task_id = $1', [taskId]);
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
    const strangers = [newTenantId(), neighbourOf(world.tenantId)];
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
});
