import { beforeEach, expect, it } from 'vitest';
import { mergedLimits } from '../../../engine/auth/tenant-limits.ts';
import { CommandLimits } from '../../../engine/edge/limits/command-limits.ts';
import type { DurableAsk } from '../../../engine/model/durable/durable-operation.ts';
import {
  ask,
  evict,
  event,
  invocationOf,
  memo,
  setUp,
  spawn,
  wait,
  workerId,
  world,
} from '../../helpers/durable-desk.ts';
import { tenantId } from '../../helpers/planner-world.ts';

beforeEach(setUp);

const limits = mergedLimits({ durableNodes: 3 });
const refused = expect.objectContaining({ code: 'LIMIT_REACHED' });

/** What the edge makes of the next operation of a durable task. */
function verdict(taskId: string, what: DurableAsk): unknown {
  const invocation = invocationOf(taskId);
  try {
    new CommandLimits().check(limits, world.state, {
      kind: 'durableAsk',
      tenantId,
      workerId,
      taskId,
      invocation,
      stream: 1,
      request: 1,
      ask: what,
    });
    return 'taken';
  } catch (error) {
    return error;
  }
}

it('a durable task may ask again for all that its log holds, and for no more than it may hold', () => {
  const taskId = world.trigger('long');
  const operations = [memo('a'), memo('b'), wait(event('go'))];
  for (const operation of operations) {
    expect(verdict(taskId, operation)).toBe('taken');
    ask(taskId, operation);
  }
  expect(verdict(taskId, memo('c'))).toEqual(refused);
  evict(taskId);
  world.run({ kind: 'durableRestore', tenantId, taskId });
  for (const operation of operations) {
    expect(verdict(taskId, operation)).toBe('taken');
    ask(taskId, operation);
  }
  expect(verdict(taskId, memo('c'))).toEqual(refused);
});

it('children that are asked for together count each', () => {
  const taskId = world.trigger('long');
  ask(taskId, memo('a'));
  expect(verdict(taskId, spawn(taskId, { index: 0 }, { index: 1 }))).toBe('taken');
  expect(verdict(taskId, spawn(taskId, { index: 0 }, { index: 1 }, { index: 2 }))).toEqual(refused);
});
