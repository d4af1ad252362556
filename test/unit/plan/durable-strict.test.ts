import { beforeEach, describe, expect, it } from 'vitest';
import { LiveState } from '../../../engine/model/task/live-state.ts';
import {
  ask,
  attach,
  event,
  evict,
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

beforeEach(() => {
  setUp();
  world.register({ actions: ['kid:one'] });
  attach({ strict: true });
});

function end(taskId: string, index: number): void {
  world.run({ kind: 'completed', tenantId, taskId: world.childOf(taskId, index).run.runId, attempt: 0, output: '{}' });
}

describe('a worker that hands results to its code strictly in the order of delivery', () => {
  it('is told of a child only once it waits for it: one that nobody waits for would hold up all others', () => {
    const taskId = world.trigger('long');
    ask(taskId, spawn(taskId, { index: 0 }, { index: 1 }, { index: 2 }));
    end(taskId, 0);
    end(taskId, 1);
    expect(told(1)).toEqual([]);
    status(taskId, 2);
    expect(told(1)).toEqual([2]);
    ask(taskId, wait(sleep(1)));
    status(taskId, 4);
    end(taskId, 2);
    seconds(1);
    expect(told(1)).toEqual([2, 4]);
    status(taskId, 1);
    status(taskId, 3);
    expect(told(1)).toEqual([2, 4, 1, 3]);
  });

  it('is told of nothing ahead of a child of which it has not spoken yet', () => {
    const taskId = world.trigger('long');
    ask(taskId, wait(event('go')));
    ask(taskId, spawn(taskId, { index: 0 }));
    end(taskId, 0);
    push('go');
    status(taskId, 1);
    expect(told(1)).toEqual([]);
    status(taskId, 2);
    expect(told(1)).toEqual([2, 1]);
  });

  it('is told in the end though it never speaks of a child', () => {
    const taskId = world.trigger('long');
    ask(taskId, wait(event('go')));
    status(taskId, 1);
    ask(taskId, spawn(taskId, { index: 0 }));
    end(taskId, 0);
    push('go');
    expect(told(1)).toEqual([]);
    for (let n = 0; n < 6; n++) {
      seconds(1);
      status(taskId, 1);
    }
    expect(told(1)).toEqual([1]);
  });

  it('is told once more of a child for which it waits again', () => {
    const taskId = world.trigger('long');
    ask(taskId, spawn(taskId, { index: 0, key: 'k' }));
    end(taskId, 0);
    status(taskId, 1);
    ask(taskId, spawn(taskId, { index: 0, key: 'k' }));
    status(taskId, 1);
    expect(told(1)).toEqual([1]); // it may be on its way
    world.nowUs += 500_000;
    status(taskId, 1);
    expect(told(1)).toEqual([1, 1]);
  });

  it('is told the same in a replay', () => {
    const taskId = world.trigger('long');
    const begin = (): void => {
      ask(taskId, spawn(taskId, { index: 0 }));
      ask(taskId, wait(sleep(1)));
      status(taskId, 2);
    };
    begin();
    end(taskId, 0);
    seconds(1);
    expect(told(1)).toEqual([2]);
    world.run({ kind: 'failed', tenantId, taskId, attempt: 0, error: '{}', mayRetry: true });
    begin();
    expect(told(2)).toEqual([2]);
    status(taskId, 1);
    expect(told(2)).toEqual([2, 1]);
  });

  it('takes back what a refused batch had it say', () => {
    const taskId = world.trigger('long');
    ask(taskId, spawn(taskId, { index: 0 }));
    end(taskId, 0);
    const memory = world.memory();
    world.rollback([
      {
        kind: 'durableStatus',
        tenantId,
        workerId: world.state.workerOf(rowOf(world.state.tasks, taskId))?.id ?? '',
        tasks: [{ taskId, invocation: 1, nodes: [{ branch: 1, node: 1 }] }],
      },
    ]);
    expect(world.memory()).toEqual(memory);
    expect(told(1)).toEqual([]);
    status(taskId, 1);
    expect(told(1)).toEqual([1]);
  });
});

describe('a task that leaves a worker that says only what it begins to wait for', () => {
  it('comes back at once for a result that was on its way', () => {
    const taskId = world.trigger('long');
    ask(taskId, wait(event('a')));
    status(taskId, 1);
    ask(taskId, wait(event('b')));
    status(taskId, 2);
    push('a');
    evict(taskId);
    expect(stateOf(taskId)).toBe(LiveState.Running);
  });

  it('stays away where its code has had that result', () => {
    const taskId = world.trigger('long');
    ask(taskId, wait(event('a')));
    status(taskId, 1);
    ask(taskId, wait(event('b')));
    status(taskId, 2);
    push('a');
    seconds(3);
    evict(taskId);
    expect(stateOf(taskId)).toBe(LiveState.Evicted);
  });

  it('stays away for a child that ended and that it left alone', () => {
    const taskId = world.trigger('long');
    ask(taskId, wait(event('a')));
    status(taskId, 1);
    ask(taskId, spawn(taskId, { index: 0 }));
    ask(taskId, wait(event('b')));
    status(taskId, 3);
    end(taskId, 0);
    evict(taskId);
    expect(stateOf(taskId)).toBe(LiveState.Evicted);
  });
});

describe('a task that leaves a worker of ours, which says each time all that it waits for', () => {
  it('stays away though it has just had a result', () => {
    attach({ strict: false });
    const taskId = world.trigger('long');
    ask(taskId, wait(event('a')));
    status(taskId, 1);
    push('a');
    ask(taskId, wait(event('b')));
    status(taskId, 2);
    evict(taskId);
    expect(stateOf(taskId)).toBe(LiveState.Evicted);
  });
});

describe('a worker that keeps results by their place for ten seconds, as those of Go do', () => {
  beforeEach(() => {
    const old = workerId;
    speakAs(register(1, { language: 'GO' }));
    world.run({ kind: 'workerPresence', tenantId, workerId: old, assignable: false });
    attach({ strict: true });
  });

  it('is told of children as they end, whichever it waits for', () => {
    const taskId = world.trigger('long');
    ask(taskId, spawn(taskId, { index: 0 }, { index: 1 }, { index: 2 }));
    end(taskId, 2);
    status(taskId, 1);
    end(taskId, 0);
    end(taskId, 1);
    expect(told(1)).toEqual([3, 1, 2]);
  });

  it('is told again of one that it asks for late, however much else goes on', () => {
    const taskId = world.trigger('long');
    ask(taskId, spawn(taskId, { index: 0 }));
    end(taskId, 0);
    seconds(11);
    ask(taskId, wait(event('a')));
    status(taskId, 1, 2);
    expect(told(1)).toEqual([1, 1]);
    status(taskId, 1, 2); // the second is on its way
    expect(told(1)).toEqual([1, 1]);
  });
});
