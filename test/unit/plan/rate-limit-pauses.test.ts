import { describe, expect, it } from 'vitest';
import { LiveState } from '../../../engine/model/task/live-state.ts';
import type { StepDemands } from '../../../engine/model/task/trigger-run.ts';
import { sweepRateLimits } from '../../../engine/plan/rate-limits/rate-limit-table.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';

const second = 1_000_000;
const minute = 60 * second;

/** A limit `mail` of ten units an hour, a plain task and one of a batch step that ask one of it. */
class World extends PlannerWorld {
  constructor() {
    super();
    this.put(workflowOf('plain', [stepOf('plain')]));
    const batch = { maxSize: 1, maxIntervalMs: null, groupKey: null, groupMaxRuns: null, broadcastOutput: false };
    this.put(workflowOf('batch', [stepOf('batch', { batch })]));
    this.register({ actions: ['wf:plain', 'wf:batch'], slots: 100 });
    this.run({ kind: 'putRateLimit', tenantId, key: 'mail', limit: 10, window: 'HOUR' });
  }

  pause(untilUs: number, key = 'mail'): number {
    return this.run({ kind: 'pauseRateLimit', tenantId, key, untilUs }).untilUs;
  }

  ask(workflow: 'plain' | 'batch', { units = 1, key = 'mail' } = {}): string {
    const rateLimits = [{ key, units, limit: key === 'mail' ? null : 10, window: 'HOUR' as const }];
    const batch = workflow === 'batch' ? { batch: { key: '', bytes: 1 } } : {};
    const demands: StepDemands['demands'] = {
      concurrency: [],
      rateLimits,
      labels: [],
      desiredWorkerId: null,
      ...batch,
    };
    return this.trigger(workflow, 1, [{ demands, error: null }]);
  }

  isRunning(taskId: string): boolean {
    const row = this.state.tasks.find(taskId);
    return row !== undefined && this.state.tasks.state[row] === LiveState.Running;
  }

  wait(us: number): void {
    this.nowUs += us;
    this.run({ kind: 'tick' });
  }
}

describe('a rate limit that is paused', () => {
  it.each(['plain', 'batch'] as const)('gives no units to a %s task until its time, and then what is left', (kind) => {
    const world = new World();
    const runs = world.ask(kind, { units: 4 });
    expect(world.isRunning(runs)).toBe(true);
    const untilUs = world.nowUs + 2 * minute;
    world.pause(untilUs);
    const [first, other, third] = [1, 1, 5].map((units) => world.ask(kind, { units }));
    world.wait(minute);
    expect([first, other, third].map((id) => world.isRunning(id ?? ''))).toEqual([false, false, false]);
    // What has its units goes on.
    expect(world.isRunning(runs)).toBe(true);
    expect(world.state.refills.nextUs).toBe(untilUs);
    world.wait(minute);
    // Six of the ten are left of the window, which is not over.
    expect([first, other, third].map((id) => world.isRunning(id ?? ''))).toEqual([true, true, false]);
    expect(world.broken()).toBeUndefined();
  });

  it('is paused for longer by a later time, and never for shorter', () => {
    const world = new World();
    const untilUs = world.nowUs + minute;
    expect(world.pause(untilUs)).toBe(untilUs);
    const waits = world.ask('plain');
    expect(world.pause(untilUs - second)).toBe(untilUs);
    expect(world.pause(untilUs + minute)).toBe(untilUs + minute);
    world.wait(minute);
    expect(world.isRunning(waits)).toBe(false);
    world.wait(minute);
    expect(world.isRunning(waits)).toBe(true);
    // A time of the past pauses nothing.
    world.pause(world.nowUs - second);
    expect(world.isRunning(world.ask('plain'))).toBe(true);
  });

  it('need not be known before, and is not forgotten while it is paused', () => {
    const world = new World();
    const { rateLimits } = world.state;
    world.pause(world.nowUs + minute, 'customer 7');
    world.state.sweepLimitsAt = 0;
    sweepRateLimits(world.state, world.nowUs);
    const waits = world.ask('plain', { key: 'customer 7' });
    expect(world.isRunning(waits)).toBe(false);
    world.wait(minute);
    expect(world.isRunning(waits)).toBe(true);
    expect([...rateLimits.values()].map(({ key }) => key)).toContain('customer 7');
  });

  it('leaves no trace of a pause that is taken back', () => {
    const world = new World();
    const waits = world.ask('plain', { units: 10 });
    world.ask('plain');
    const before = JSON.stringify(world.image());
    world.rollback([{ kind: 'pauseRateLimit', tenantId, key: 'mail', untilUs: world.nowUs + minute }]);
    expect(JSON.stringify(world.image())).toBe(before);
    expect(world.isRunning(waits)).toBe(true);
    expect([...world.state.rateLimits.values()].map(({ pausedUntilUs }) => pausedUntilUs)).toEqual([0]);
  });
});
