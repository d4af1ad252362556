import { describe, expect, it } from 'vitest';
import { LiveState } from '../../../engine/model/task/live-state.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';
import { valueAt } from '../../helpers/row-of.ts';

const second = 1_000_000;

function failing(
  retryAfterMs: number | null,
  backoffFactor: number | null = null,
): { world: PlannerWorld; taskId: string; state: () => number | undefined } {
  const world = new PlannerWorld();
  world.put(workflowOf('one', [stepOf('one', { retries: 1, backoffFactor })]));
  world.register({ actions: ['wf:one'] });
  const taskId = world.trigger('one');
  world.run({ kind: 'failed', tenantId, taskId, attempt: 0, error: '{}', mayRetry: true, retryAfterMs });
  const pass = (seconds: number): void => {
    world.nowUs += seconds * second;
    world.run({ kind: 'tick' });
  };
  return { world, taskId, state: () => (pass(1), valueAt(world.state.tasks.state, world.state.tasks.find(taskId))) };
}

describe('a failure that says when to retry', () => {
  it('waits that long instead of the back-off, longer or shorter', () => {
    for (const factor of [null, 100]) {
      const { state } = failing(2500, factor);
      expect([state(), state(), state()]).toEqual([LiveState.Delayed, LiveState.Delayed, LiveState.Running]);
    }
    expect(failing(0, 100).state()).toBe(LiveState.Running);
    expect(failing(null, 100).state()).toBe(LiveState.Delayed);
  });

  it('waits a day at most, and takes one of the retries', () => {
    const { world, taskId, state } = failing(10 * 86_400_000);
    expect(state()).toBe(LiveState.Delayed);
    world.nowUs += 86_400 * second;
    expect(state()).toBe(LiveState.Running);
    world.run({ kind: 'failed', tenantId, taskId, attempt: 1, error: '{}', mayRetry: true, retryAfterMs: 1000 });
    expect(world.state.tasks.find(taskId)).toBeUndefined();
  });
});
