import { describe, expect, it } from 'vitest';
import type { RateLimitDemand } from '../../../engine/model/task/demands.ts';
import { LiveState } from '../../../engine/model/task/live-state.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';
import { rowOf } from '../../helpers/row-of.ts';

const second = 1_000_000;
const hour = 3_600 * second;

class World extends PlannerWorld {
  constructor() {
    super();
    this.put(workflowOf('single', [stepOf('one', { scheduleTimeoutMs: 86_400_000 })]));
    this.register({ actions: ['wf:one'], slots: 10 });
    this.run({ kind: 'putRateLimit', tenantId, key: 'api', limit: 1, window: 'MINUTE' });
  }

  ask(): string {
    const unit: RateLimitDemand = { key: 'api', units: 1, limit: null, window: 'MINUTE' };
    return this.trigger('single', 1, [
      { demands: { concurrency: [], rateLimits: [unit], labels: [], desiredWorkerId: null }, error: null },
    ]);
  }

  runs(taskId: string): boolean {
    return this.state.tasks.state[rowOf(this.state.tasks, taskId)] === LiveState.Running;
  }

  pass(us: number): void {
    this.nowUs += us;
    this.run({ kind: 'tick' });
  }
}

describe('a window that began while the clock was an hour ahead', () => {
  const ahead = (): { world: World; waiting: string } => {
    const world = new World();
    world.nowUs += hour;
    expect(world.runs(world.ask())).toBe(true);
    const waiting = world.ask();
    expect(world.runs(waiting)).toBe(false);
    world.nowUs -= hour;
    return { world, waiting };
  };

  it('lasts no longer than a window once the clock is right, and no shorter', () => {
    const { world, waiting } = ahead();
    world.pass(0);
    expect(world.state.nextRefillUs).toBe(world.nowUs + 60 * second);
    world.pass(59 * second);
    expect(world.runs(waiting)).toBe(false);
    world.pass(second);
    expect(world.runs(waiting)).toBe(true);
  });

  it('is stored as it is now: a restart makes it no longer', () => {
    const { world } = ahead();
    const stored: [string, number][] = [];
    world.write = ({ rateLimits }): void => {
      for (const { key, windowStartUs } of rateLimits) stored.push([key, windowStartUs]);
    };
    world.pass(0);
    expect(stored).toEqual([['api', world.nowUs]]);
    world.pass(second);
    expect(stored).toHaveLength(1);
  });

  it('is as it was after a transaction that was taken back', () => {
    const { world, waiting } = ahead();
    const before = world.image();
    world.rollback([{ kind: 'tick' }]);
    expect(world.image()).toEqual(before);
    world.pass(0);
    world.pass(60 * second);
    expect(world.runs(waiting)).toBe(true);
  });
});
