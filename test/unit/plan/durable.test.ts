import { beforeEach, describe, expect, it } from 'vitest';
import { LiveState } from '../../../engine/model/task/live-state.ts';
import type { Demands } from '../../../engine/model/task/demands.ts';
import type { DurableAsk } from '../../../engine/model/durable/durable-operation.ts';
import {
  ask,
  event,
  evict,
  invocationOf,
  last,
  memo,
  push,
  register,
  seconds,
  setUp,
  sleep,
  speakAs,
  spawn,
  stateOf,
  status,
  told,
  wait,
  workerId,
  world,
} from '../../helpers/durable-desk.ts';
import { tenantId } from '../../helpers/planner-world.ts';
import { rowOf } from '../../helpers/row-of.ts';

beforeEach(setUp);

describe('the log of a durable task', () => {
  it('takes places in order; a replay asks for them again and goes on after them', () => {
    const taskId = world.trigger('long');
    expect(ask(taskId, memo('a'))).toMatchObject({ kind: 'ok', refs: [{ branch: 1, node: 1, done: false }] });
    expect(ask(taskId, wait(sleep(60)))).toMatchObject({ kind: 'ok', refs: [{ node: 2 }] });
    world.run({ kind: 'failed', tenantId, taskId, attempt: 0, error: '{}', mayRetry: true });
    expect(invocationOf(taskId)).toBe(2);
    expect(ask(taskId, memo('a'))).toMatchObject({ kind: 'ok', refs: [{ node: 1 }] });
    expect(ask(taskId, wait(sleep(60)))).toMatchObject({ kind: 'ok', refs: [{ node: 2 }] });
    expect(ask(taskId, memo('b'))).toMatchObject({ kind: 'ok', refs: [{ node: 3 }] });
    // Nobody was sent away: where a start that begins stands is known.
    expect(last('durableDismissed')).toBeUndefined();
    expect(world.entries.size).toBe(3);
  });

  it('gives a child again by its key, and refuses the key for another workflow or input', () => {
    const taskId = world.trigger('long');
    const child = spawn(taskId, { index: 0, key: 'k' });
    if (child.kind !== 'children') throw new Error('no children');
    expect(ask(taskId, child)).toMatchObject({ kind: 'ok', refs: [{ node: 1 }] });
    expect(ask(taskId, child)).toMatchObject({ kind: 'ok', refs: [{ node: 1 }] });
    const other = { ...child, children: child.children.map((one) => ({ ...one, fingerprint: 'other' })) };
    expect(ask(taskId, other)).toMatchObject({ kind: 'mismatch', node: 1 });
    expect(world.entries.size).toBe(1);
  });

  it('refuses a replay that asks for something else, keeps the place free, and has the task fail for good', () => {
    const taskId = world.trigger('long');
    ask(taskId, wait(sleep(1)));
    world.run({ kind: 'failed', tenantId, taskId, attempt: 0, error: '{}', mayRetry: true });
    expect(ask(taskId, memo('x'))).toMatchObject({
      kind: 'mismatch',
      branch: 1,
      node: 1,
      message: expect.stringContaining('sleep 1s'),
    });
    expect(ask(taskId, wait(sleep(1)))).toMatchObject({ kind: 'ok', refs: [{ node: 1 }] });
    world.run({ kind: 'failed', tenantId, taskId, attempt: 1, error: '{}', mayRetry: true });
    expect(stateOf(taskId)).toBeUndefined();
    expect([...world.stored.results.values()].map((result) => result.attempt)).toEqual([1]);
  });

  it('answers a patch that an older log lacks without taking a place, and passes one that the code has dropped', () => {
    const patch = (id: string): DurableAsk => ({
      kind: 'memo',
      key: Buffer.from(`patched:${id}`).toString('hex'),
      payload: 'true',
    });
    const taskId = world.trigger('long');
    ask(taskId, wait(sleep(1)));
    ask(taskId, patch('a'));
    ask(taskId, wait(sleep(2)));
    evict(taskId);
    world.run({ kind: 'durableRestore', tenantId, taskId });
    // Code that asks for a patch before what was there.
    expect(ask(taskId, patch('b'))).toEqual({ kind: 'unpatched' });
    expect(ask(taskId, wait(sleep(1)))).toMatchObject({ kind: 'ok', refs: [{ node: 1 }] });
    expect(ask(taskId, patch('c'))).toEqual({ kind: 'unpatched' });
    expect(ask(taskId, patch('a'))).toMatchObject({ kind: 'ok', refs: [{ node: 2, done: true }] });
    expect(ask(taskId, wait(sleep(2)))).toMatchObject({ kind: 'ok', refs: [{ node: 3 }] });
    // At the end of the log it is the first to come here.
    expect(ask(taskId, patch('d'))).toMatchObject({ kind: 'ok', refs: [{ node: 4, done: false }] });
    evict(taskId);
    world.run({ kind: 'durableRestore', tenantId, taskId });
    // Code that does not ask for it any more.
    ask(taskId, wait(sleep(1)));
    expect(ask(taskId, wait(sleep(2)))).toMatchObject({ kind: 'ok', refs: [{ node: 3 }] });
    expect(ask(taskId, wait(sleep(9)))).toMatchObject({ kind: 'ok', refs: [{ node: 5 }] });
  });

  it('takes several children whole or not at all', () => {
    const taskId = world.trigger('long');
    ask(taskId, spawn(taskId, { index: 0 }));
    world.run({ kind: 'failed', tenantId, taskId, attempt: 0, error: '{}', mayRetry: true });
    const runs = world.stored.runs.size;
    // The first matches the log, the second would be new, the third is another workflow's: nothing may be left of them.
    ask(taskId, memo('no')); // a mismatch, which changes nothing either
    expect(ask(taskId, spawn(taskId, { index: 0 }, { index: 1 }))).toMatchObject({
      kind: 'ok',
      refs: [{ node: 1 }, { node: 2 }],
    });
    expect(world.stored.runs.size).toBe(runs + 1);
  });

  it('gives the same child for the same key, and no new node', () => {
    const taskId = world.trigger('long');
    expect(ask(taskId, spawn(taskId, { index: 0, key: 'k' }))).toMatchObject({ refs: [{ node: 1 }] });
    expect(ask(taskId, spawn(taskId, { index: 1, key: 'k' }))).toMatchObject({ refs: [{ node: 1 }] });
    expect(ask(taskId, memo('after'))).toMatchObject({ refs: [{ node: 2 }] });
    expect([...world.stored.runs.values()].filter((run) => run.parentTaskId === taskId)).toHaveLength(1);
  });

  it('answers an invocation that was superseded with its dismissal, and takes nothing from it', () => {
    const taskId = world.trigger('long');
    world.run({ kind: 'workerLost', tenantId, workerId });
    speakAs(register());
    expect(ask(taskId, memo('late'), 1)).toMatchObject({ kind: 'stale' });
    expect(world.entries.size).toBe(0);
  });
});

describe('results', () => {
  it('come once for a wait whose first transaction was taken back', () => {
    const taskId = world.trigger('long');
    world.rollback([
      {
        kind: 'durableAsk',
        tenantId,
        workerId,
        taskId,
        invocation: 1,
        stream: 1,
        request: 1,
        ask: wait(sleep(1)),
      },
    ]);
    ask(taskId, wait(sleep(1)));
    seconds(1);
    seconds(1);
    expect(told(1)).toEqual([1]);
    expect(world.results.size).toBe(1);
  });

  it('are told in the order in which they came about, whatever order a replay asks in', () => {
    const taskId = world.trigger('long');
    ask(taskId, wait(sleep(2)));
    ask(taskId, wait(sleep(1)));
    seconds(1);
    seconds(1);
    expect(told(1)).toEqual([2, 1]);
    world.run({ kind: 'failed', tenantId, taskId, attempt: 0, error: '{}', mayRetry: true });
    ask(taskId, wait(sleep(2)));
    expect(told(2)).toEqual([]);
    ask(taskId, wait(sleep(1)));
    expect(told(2)).toEqual([2, 1]);
  });

  it('stay untold when a request of the stream before comes late, whose answer no request of the new one takes', () => {
    const taskId = world.trigger('long');
    ask(taskId, wait(sleep(1)));
    world.run({ kind: 'durableAttach', tenantId, workerId, stream: 7, strict: false });
    seconds(1);
    world.run({
      kind: 'durableAsk',
      tenantId,
      workerId,
      taskId,
      invocation: 1,
      stream: 6,
      request: 1,
      ask: wait(sleep(5)),
    });
    expect(last('durableAnswer')).toMatchObject({ stream: 6, request: 1 });
    expect(told(1)).toEqual([]);
    status(taskId, 1);
    expect(told(1)).toEqual([1]);
  });

  it('wait on a new stream until the worker has said what it waits for: what was lost goes first', () => {
    const taskId = world.trigger('long');
    ask(taskId, wait(sleep(1)));
    ask(taskId, wait(event('go')));
    seconds(1);
    expect(told(1)).toEqual([1]);
    world.run({ kind: 'durableAttach', tenantId, workerId, stream: 5, strict: false });
    push('go');
    expect(told(1)).toEqual([1]);
    status(taskId, 1, 2);
    expect(told(1)).toEqual([1, 1, 2]);
    expect(last('durableResult')).toMatchObject({ stream: 5 });
  });

  it('wait on a new stream for the message that names their task, where the worker says what it waits for in several', () => {
    world.run({ kind: 'workerPresence', tenantId, workerId, assignable: false });
    speakAs(register(2));
    const [first, second] = [world.trigger('long'), world.trigger('long')];
    for (const taskId of [first, second]) {
      ask(taskId, wait(sleep(1)));
      ask(taskId, wait(event('go')));
    }
    seconds(1); // told on the old stream, and lost
    world.run({ kind: 'durableAttach', tenantId, workerId, stream: 5, strict: false });
    push('go');
    world.effects.length = 0;
    const toldOf = (taskId: string): number[] =>
      world.effects.flatMap((effect) =>
        effect.kind === 'durableResult' && effect.taskId === taskId ? [effect.node] : [],
      );
    status(first, 1, 2);
    expect([toldOf(first), toldOf(second)]).toEqual([[1, 2], []]);
    status(second, 1, 2);
    expect([toldOf(first), toldOf(second)]).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  it('held back for something that changed code never asks for are told in the end', () => {
    const taskId = world.trigger('long');
    ask(taskId, wait(sleep(1)));
    ask(taskId, wait(sleep(60)));
    world.run({ kind: 'failed', tenantId, taskId, attempt: 0, error: '{}', mayRetry: true });
    seconds(1);
    ask(taskId, wait(sleep(1)));
    expect(told(2)).toEqual([]); // node 2 had been asked before node 1 was satisfied
    status(taskId, 1);
    expect(told(2)).toEqual([]);
    // Its worker, or the engine, stood still: nobody has waited.
    seconds(60);
    status(taskId, 1);
    status(taskId, 1);
    expect(told(2)).toEqual([]);
    for (let n = 0; n < 4; n++) {
      seconds(1);
      status(taskId, 1);
    }
    expect(told(2)).toEqual([1]);
  });

  it('held back are not told because an invocation that has moved waited before', () => {
    const taskId = world.trigger('long');
    ask(taskId, wait(sleep(1)));
    ask(taskId, wait(event('go')));
    ask(taskId, wait(sleep(60)));
    world.run({ kind: 'failed', tenantId, taskId, attempt: 0, error: '{}', mayRetry: true });
    seconds(1);
    ask(taskId, wait(sleep(1)));
    for (let n = 0; n < 4; n++) {
      seconds(1);
      status(taskId, 1);
    }
    ask(taskId, wait(event('go')));
    for (let n = 0; n < 4; n++) {
      seconds(1);
      status(taskId, 1, 2);
    }
    expect(told(2)).toEqual([]);
  });

  it('come with all conditions of groups that are all needed, over an eviction', () => {
    const taskId = world.trigger('long');
    ask(taskId, wait(sleep(5, 0), event('go', { group: 1 })));
    status(taskId, 1);
    evict(taskId);
    push('go', '{"by":"ann"}');
    expect(stateOf(taskId)).toBe(LiveState.Evicted);
    seconds(5);
    expect(stateOf(taskId)).toBe(LiveState.Running);
    const [result] = [...world.results.values()].filter((row) => row.condition === -1);
    expect(JSON.parse(result?.payload ?? '')).toEqual({
      CREATE: { sleep: [{ sleep_duration: '5s' }], event: [{ by: 'ann' }] },
    });
  });

  it('of an event come by scope and expression; an expression that fails is said once', () => {
    const taskId = world.trigger('long');
    ask(taskId, wait(event('go', { scope: 's', expression: 'input.n > 1.0' })));
    push('go', '{"n":5}');
    push('go', '{"n":1}', 's');
    push('go', '{}', 's');
    push('go', '{}', 's');
    expect(told(1)).toEqual([]);
    expect(world.effects.filter((effect) => effect.kind === 'durableTrouble')).toHaveLength(1);
    push('go', '{"n":2}', 's');
    expect(told(1)).toEqual([1]);
  });
});

describe('an evicted task', () => {
  it('frees its slot, and comes back at the head without a schedule timeout', () => {
    const taskId = world.trigger('long');
    ask(taskId, wait(sleep(10)));
    status(taskId, 1);
    evict(taskId);
    const other = world.trigger('long');
    const third = world.trigger('long', 3);
    expect(stateOf(other)).toBe(LiveState.Running);
    seconds(10);
    expect(stateOf(taskId)).toBe(LiveState.Ready);
    seconds(400); // beyond the schedule timeout, at which the third is cancelled
    expect(stateOf(third)).toBeUndefined();
    world.run({ kind: 'completed', tenantId, taskId: other, attempt: 0, output: '{}' });
    expect(stateOf(taskId)).toBe(LiveState.Running);
    expect(invocationOf(taskId)).toBe(2);
  });

  it('keeps its places, and takes no units a second time', () => {
    const demands: Demands = {
      concurrency: [{ level: 'task', strategyId: 'g', key: 'k', strategy: 'GROUP_ROUND_ROBIN', maxRuns: 1 }],
      rateLimits: [{ key: 'r', units: 1, limit: null, window: 'MINUTE' }],
      labels: [],
      desiredWorkerId: null,
    };
    world.run({ kind: 'putRateLimit', tenantId, key: 'r', limit: 1, window: 'MINUTE' });
    const taskId = world.trigger('long', 1, [{ demands, error: null }]);
    const other = world.trigger('long', 1, [{ demands, error: null }]);
    ask(taskId, wait(sleep(2)));
    status(taskId, 1);
    evict(taskId);
    expect(stateOf(other)).toBe(LiveState.Ready);
    seconds(2);
    expect(stateOf(taskId)).toBe(LiveState.Running);
    expect([...world.state.rateLimits.values()].map((limit) => limit.used)).toEqual([1]);
  });

  it('is nothing but its row: no log stays in memory, and no timer holds one', () => {
    const ids = Array.from({ length: 50 }, () => world.trigger('long'));
    speakAs(register(50));
    for (const taskId of ids) {
      if (stateOf(taskId) !== LiveState.Running) continue;
      const holder = world.state.workerOf(rowOf(world.state.tasks, taskId))?.id ?? '';
      ask(taskId, wait(sleep(86_400)));
      world.run({ kind: 'durableEvict', tenantId, workerId: holder, taskId, invocation: 1, reason: 'ttl' });
    }
    expect(ids.map(stateOf)).toEqual(ids.map(() => LiveState.Evicted));
    expect(ids.filter((taskId) => world.state.durable.task(rowOf(world.state.tasks, taskId)) !== undefined)).toEqual(
      [],
    );
    expect(world.state.durable.sleeps.size).toBeLessThan(2);
  });

  it('can be woken by hand, and a sleep ended early', () => {
    const taskId = world.trigger('long');
    ask(taskId, wait(sleep(86_400)));
    evict(taskId);
    expect(world.run({ kind: 'durableRestore', tenantId, taskId })).toEqual({ requeued: true });
    expect(world.run({ kind: 'durableRestore', tenantId, taskId })).toEqual({ requeued: false });
    ask(taskId, wait(sleep(86_400)));
    expect(told(2)).toEqual([]);
    world.run({ kind: 'durableSkip', tenantId, taskId, branch: 1, node: 1 });
    expect(told(2)).toEqual([1]);
    expect(() => world.run({ kind: 'durableSkip', tenantId, taskId, branch: 1, node: 1 })).toThrow('no open sleep');
  });
});

describe('signals of older SDKs', () => {
  it('are one wait a key, and are told with what satisfied them', () => {
    const taskId = world.trigger('long');
    for (let n = 0; n < 2; n++)
      world.run({ kind: 'durableSignal', tenantId, taskId, key: 'waitFor-0', conditions: [sleep(1)] });
    expect(world.entries.size).toBe(1);
    seconds(1);
    expect(last('durableSignal')).toEqual({
      kind: 'durableSignal',
      taskId,
      key: 'waitFor-0',
      payload: '{"CREATE":{"sleep":[{"sleep_duration":"1s"}]}}',
    });
  });
});
