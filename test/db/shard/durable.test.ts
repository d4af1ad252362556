import { describe, expect, it } from 'vitest';
import { Pool } from 'pg';
import { createLog } from '../../../engine/base/log.ts';
import { LiveState } from '../../../engine/model/task/live-state.ts';
import { RunStatus } from '../../../engine/model/task/status.ts';
import { connectionConfig } from '../../../engine/postgres/connect.ts';
import { readShortLogs } from '../../../engine/shard/facts/stored-durable-logs.ts';
import { LongLogs } from '../../../engine/shard/facts/long-durable-logs.ts';
import { NodeResults } from '../../../engine/monitor/durable/node-results.ts';
import { branchTask } from '../../../engine/shard/prepare/branch-task.ts';
import {
  ask,
  database,
  event,
  evict,
  lengthen,
  push,
  readers,
  restart,
  setUpDurableOwner,
  spawn,
  stateOf,
  told,
  trigger,
  wait,
  world,
} from '../../helpers/durable-owner.ts';

setUpDurableOwner();

describe('durable tasks on Postgres', () => {
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
    await database.client.query(`UPDATE durable_entry SET asked = 'no JSON' WHERE task_id = ANY ($1)`, [
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
          await database.client.query(`DELETE FROM durable_listen WHERE task_id = $1 AND condition = 1`, [taskId]);
          await database.client.query(
            `UPDATE durable_listen SET scope = '', guard = 0, expression = '' WHERE task_id = $1`,
            [taskId],
          );
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
    const { rows } = await database.client.query<{ payload: string }>(
      'SELECT payload FROM durable_result WHERE task_id = $1',
      [taskId],
    );
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
    const { rows } = await database.client.query(
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
    const [child] = (
      await database.client.query<{ id: string }>('SELECT id FROM run WHERE parent_task_id = $1', [taskId])
    ).rows;
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
    const { logs } = await readShortLogs(database.client, parts, null);
    expect(logs.get(taskId)?.entries.map(({ branch, node }) => [branch, node])).toEqual([[2, 1]]);
    const long = new LongLogs(connectionConfig(database.url, 'test'), createLog('silent'));
    await long.read({ taskId, oldestBranch: 2 });
    expect(await long.take(database.client, { taskId, oldestBranch: 1 })).toBeUndefined(); // a branch from before wants all of it
    await long.read({ taskId, oldestBranch: 2 });
    expect((await long.take(database.client, { taskId, oldestBranch: 2 }))?.at(2, 1)).toBeDefined();
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
    const [child] = (
      await database.client.query<{ id: string }>('SELECT id FROM run WHERE parent_task_id = $1', [taskId])
    ).rows;
    await world.complete(child?.id ?? '');
    await ask(taskId, await spawn(taskId, 0));
    await ask(taskId, wait(event('go'), event('also')));
    const log = await logs.take(database.client, { taskId, oldestBranch: 1 });
    expect(log?.entries).toHaveLength(1200);
    expect(log?.at(1, 1)?.result).toMatchObject({ status: RunStatus.Completed });
    expect(log?.at(1, 2)?.result).toBeNull();
    expect(await logs.take(database.client, { taskId, oldestBranch: 1 })).toBeUndefined();
    await logs.close();
  });
});
