import { beforeEach, describe, expect, it } from 'vitest';
import { LiveState } from '../../../engine/model/task/live-state.ts';
import type { CommandByKind } from '../../../engine/plan/commands/command.ts';
import {
  ask,
  event,
  evict,
  invocationOf,
  last,
  memo,
  seconds,
  setUp,
  sleep,
  stateOf,
  told,
  wait,
  workerId,
  world,
} from '../../helpers/durable-desk.ts';
import { tenantId } from '../../helpers/planner-world.ts';

beforeEach(setUp);

describe('a branch', () => {
  it('keeps what lies before the node; what follows is asked for anew, children too', () => {
    const taskId = world.trigger('long');
    ask(taskId, memo('a'));
    world.run({ kind: 'durableMemo', tenantId, workerId, taskId, invocation: 1, branch: 1, node: 1, payload: '1' });
    ask(taskId, wait(sleep(60)));
    expect(
      world.run({
        kind: 'durableBranch',
        tenantId,
        taskId,
        branch: 0,
        node: 2,
      }),
    ).toEqual({ branch: 2, node: 2 });
    expect(last('durableDismissed')).toMatchObject({ invocation: 1 });
    expect(invocationOf(taskId)).toBe(2);
    expect(ask(taskId, memo('a'))).toMatchObject({ refs: [{ branch: 1, node: 1, done: true }] });
    // Another operation than branch 1 had there.
    expect(ask(taskId, memo('b'))).toMatchObject({ refs: [{ branch: 2, node: 2 }] });
    // The old branch's sleep wakes nobody.
    evict(taskId);
    expect(stateOf(taskId)).toBe(LiveState.Running);
    const before = told(3).length;
    seconds(60);
    expect(told(3)).toHaveLength(before);
  });

  const branch = (taskId: string, node: number): CommandByKind['durableBranch'] & { kind: 'durableBranch' } => ({
    kind: 'durableBranch',
    tenantId,
    taskId,
    branch: 0,
    node,
  });

  it('hears an event of the very batch that makes it, wherever the task is', () => {
    for (const where of ['running', 'evicted', 'queued']) {
      const taskId = world.trigger('long');
      ask(taskId, wait(event(where)));
      ask(taskId, wait(sleep(3600)));
      if (where !== 'running') evict(taskId);
      if (where === 'queued') {
        world.run({ kind: 'workerPresence', tenantId, workerId, assignable: false });
        world.run({ kind: 'durableRestore', tenantId, taskId });
      }
      const came: CommandByKind['pushEvent'] & { kind: 'pushEvent' } = {
        kind: 'pushEvent',
        tenantId,
        events: [{ id: world.id(), key: where, scope: null, payload: '{"n":1}', metadata: '{}', runs: [] }],
      };
      world.runTogether([branch(taskId, 2), came]);
      world.run({ kind: 'workerPresence', tenantId, workerId, assignable: true });
      expect([where, stateOf(taskId)]).toEqual([where, LiveState.Running]);
      expect([where, ask(taskId, wait(event(where)))]).toMatchObject([
        where,
        { refs: [{ branch: 1, node: 1, done: true }] },
      ]);
      expect(ask(taskId, memo('new'))).toMatchObject({ refs: [{ branch: 2, node: 2 }] });
      world.run({ kind: 'completed', tenantId, taskId, attempt: where === 'running' ? 1 : 0, output: '{}' });
    }
  });

  it('is not ended by a report of the invocation that it was taken from, though the same worker has the task again', () => {
    const taskId = world.trigger('long');
    ask(taskId, memo('a'));
    ask(taskId, memo('b'));
    world.runTogether([
      branch(taskId, 2),
      { kind: 'completed', tenantId, taskId, attempt: 0, output: '{"of":"branch 1"}' },
    ]);
    expect(stateOf(taskId)).toBe(LiveState.Running);
    world.run({ kind: 'failed', tenantId, taskId, attempt: 0, error: 'of branch 1', mayRetry: false });
    expect(stateOf(taskId)).toBe(LiveState.Running);
    expect(last('durableDismissed')).toMatchObject({ invocation: 1 });
    world.run({ kind: 'completed', tenantId, taskId, attempt: 1, output: '{"of":"branch 2"}' });
    expect(stateOf(taskId)).toBeUndefined();
  });

  it('starts on its own log where an event of the batch has brought in the old one', () => {
    const taskId = world.trigger('long');
    ask(taskId, wait(event('go')));
    ask(taskId, memo('old'));
    evict(taskId);
    const came: CommandByKind['pushEvent'] & { kind: 'pushEvent' } = {
      kind: 'pushEvent',
      tenantId,
      events: [{ id: world.id(), key: 'go', scope: null, payload: '{"n":1}', metadata: '{}', runs: [] }],
    };
    world.runTogether([came, branch(taskId, 2)]);
    expect(ask(taskId, wait(event('go')))).toMatchObject({ refs: [{ branch: 1, node: 1, done: true }] });
    expect(ask(taskId, memo('new'))).toMatchObject({ refs: [{ branch: 2, node: 2, done: false }] });
  });

  it('is refused while the worker has not let go of a task that was cancelled', () => {
    const taskId = world.trigger('long');
    ask(taskId, memo('a'));
    world.run({ kind: 'cancel', tenantId, ids: [taskId] });
    expect(() => world.run(branch(taskId, 1))).toThrow('has not let go');
    expect(world.entries.size).toBe(1);
    world.run({ kind: 'cancelSent', tenantId, taskId, attempt: 0 });
    expect(world.run(branch(taskId, 1))).toEqual({ branch: 2, node: 1 });
    expect(stateOf(taskId)).toBe(LiveState.Running);
  });

  it('from a node that is not there is refused whole', () => {
    const taskId = world.trigger('long');
    ask(taskId, memo('a'));
    expect(() =>
      world.run({
        kind: 'durableBranch',
        tenantId,
        taskId,
        branch: 0,
        node: 2,
      }),
    ).toThrow('no node 2');
    expect(world.entries.size).toBe(1);
    expect(stateOf(taskId)).toBe(LiveState.Running);
  });
});
