import { describe, expect, it } from 'vitest';
import type { DesiredLabel } from '../../../engine/model/definition.ts';
import type { Demands, RateLimitDemand } from '../../../engine/model/task/demands.ts';
import { LiveState } from '../../../engine/model/task/live-state.ts';
import type { StepDemands } from '../../../engine/model/task/trigger-run.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';
import { valueAt } from '../../helpers/row-of.ts';

const minute = 60_000_000;

const gpu: DesiredLabel = { key: 'gpu', value: 1, comparator: 'EQUAL', required: true, weight: 100 };

function unitsOf(key: string, units: number): RateLimitDemand {
  return { key, units, limit: null, window: 'MINUTE' };
}

function unitOf(...keys: string[]): RateLimitDemand[] {
  return keys.map((key) => unitsOf(key, 1));
}

/** Two limits of a minute, `left` and `right`, and queues that ask them. */
class World extends PlannerWorld {
  constructor(sizes: { left: number; right: number; leftWindow?: 'MINUTE' | 'HOUR' }) {
    super();
    for (const name of ['spends', 'one', 'other']) this.put(workflowOf(name, [stepOf(name)]));
    this.put(workflowOf('pair', [stepOf('one'), stepOf('second')], { sticky: 'HARD' }));
    const batch = { maxSize: 1, maxIntervalMs: null, groupKey: null, groupMaxRuns: null, broadcastOutput: false };
    this.put(workflowOf('batch', [stepOf('batch', { batch })]));
    this.register({ actions: ['wf:spends', 'wf:one', 'wf:other', 'wf:second', 'wf:batch'], slots: 100 });
    const { left, right, leftWindow = 'MINUTE' } = sizes;
    this.run({ kind: 'putRateLimit', tenantId, key: 'left', limit: left, window: leftWindow });
    this.run({ kind: 'putRateLimit', tenantId, key: 'right', limit: right, window: 'MINUTE' });
  }

  /** Takes all units of both, of one window. */
  spendAll(): void {
    const demands = [...this.state.rateLimits.values()].map(({ key, limit }) => unitsOf(key, limit));
    expect(this.where(this.ask('spends', demands))).toBe('runs');
  }

  demands(
    rateLimits: RateLimitDemand[],
    { key, ...more }: { key?: string } & Partial<Pick<Demands, 'labels' | 'batch'>> = {},
  ): StepDemands[] {
    const concurrency: Demands['concurrency'] =
      key === undefined
        ? []
        : [{ level: 'task', strategyId: 'turns', strategy: 'GROUP_ROUND_ROBIN', key, maxRuns: 100 }];
    return [{ demands: { concurrency, rateLimits, labels: [], desiredWorkerId: null, ...more }, error: null }];
  }

  ask(
    workflow: string,
    rateLimits: RateLimitDemand[],
    { priority = 1, key }: { priority?: number; key?: string } = {},
  ): string {
    return this.trigger(workflow, priority, this.demands(rateLimits, key === undefined ? {} : { key }));
  }

  where(taskId: string): string {
    const live = valueAt(this.state.tasks.state, this.state.tasks.find(taskId));
    if (live === LiveState.Running) return 'runs';
    return live === LiveState.RateLimited ? 'waits for units' : `state ${live}`;
  }

  refill(): void {
    this.nowUs += minute;
    this.run({ kind: 'tick' });
  }
}

/** In whatever order the queues and the limits are looked at. */
const orders = [
  { first: 'one', second: 'other', both: ['left', 'right'] },
  { first: 'other', second: 'one', both: ['left', 'right'] },
  { first: 'one', second: 'other', both: ['right', 'left'] },
  { first: 'other', second: 'one', both: ['right', 'left'] },
];

describe('a task that waits for one limit and asks another, too', () => {
  it.each(orders)(
    'goes before one that ranks below it in the line of the other: $first, $both',
    ({ first, second, both }) => {
      const world = new World({ left: 1, right: 1 });
      world.spendAll();
      const worse = [world.ask(second, unitOf('left')), world.ask(second, unitOf('right'))];
      const better = world.ask(first, unitOf(...both), { priority: 2 });
      world.refill();
      expect([better, ...worse].map((id) => world.where(id))).toEqual(['runs', 'waits for units', 'waits for units']);
      world.refill();
      expect(worse.map((id) => world.where(id))).toEqual(['runs', 'runs']);
    },
  );

  it.each(orders)('is called in time, where it is the second in its line: $first, $both', ({ first, second, both }) => {
    const world = new World({ left: 2, right: 2 });
    world.spendAll();
    const worse = [world.ask(second, unitOf('left')), world.ask(second, unitOf('right'))];
    const ahead = ['left', 'right'].map((key) => world.ask(first, unitOf(key), { priority: 3 }));
    const better = world.ask(first, unitOf(...both), { priority: 2 });
    world.refill();
    expect(ahead.map((id) => world.where(id))).toEqual(['runs', 'runs']);
    expect([better, ...worse].map((id) => world.where(id))).toEqual(['runs', 'waits for units', 'waits for units']);
  });

  it.each(orders)('goes before one that comes with the refill: $first, $both', ({ first, second, both }) => {
    const world = new World({ left: 1, right: 1 });
    world.spendAll();
    const waiting = world.ask(first, unitOf(...both));
    world.nowUs += minute;
    const late = ['left', 'right'].map((key) => world.triggerOf(second, 1, world.demands(unitOf(key))));
    world.runTogether([...late, { kind: 'tick' }]);
    expect(world.where(waiting)).toBe('runs');
    expect(late.map(({ runs }) => world.where(runs[0]?.runId ?? ''))).toEqual(['waits for units', 'waits for units']);
  });

  it.each([[['left', 'right']], [['right', 'left']]])(
    'goes before a later one whose turn among the keys has come: %j',
    (both) => {
      const world = new World({ left: 1, right: 1 });
      world.spendAll();
      // The key has its turn since a task of it came that no worker suits.
      world.trigger('one', 1, world.demands([], { key: 'late', labels: [gpu] }));
      const waiting = world.ask('one', unitOf(...both), { key: 'early' });
      world.nowUs += minute;
      const late = ['left', 'right'].map((key) =>
        world.triggerOf('one', 1, world.demands(unitOf(key), { key: 'late' })),
      );
      world.runTogether([...late, { kind: 'tick' }]);
      expect(world.where(waiting)).toBe('runs');
      expect(late.map(({ runs }) => world.where(runs[0]?.runId ?? ''))).toEqual(['waits for units', 'waits for units']);
    },
  );

  it('goes before one that ranks below it, also where it has just moved to the line of its sticky worker', () => {
    const world = new World({ left: 10, right: 2 });
    world.ask('spends', [unitsOf('right', 2)]);
    const [demands] = world.demands(unitOf('left', 'right'));
    if (demands === undefined) throw new Error('no demands');
    const pair = world.triggerOf('pair', 2, [demands, demands]);
    world.run(pair);
    const worse = world.ask('one', unitOf('right'));
    world.refill();
    expect(pair.runs[0]?.taskIds.map((id) => world.where(id))).toEqual(['runs', 'runs']);
    expect(world.where(worse)).toBe('waits for units');
  });

  it('has no batch wait for another window where there are units for both', () => {
    const world = new World({ left: 2, right: 2 });
    world.spendAll();
    const waiting = world.ask('one', unitOf('left', 'right'));
    world.nowUs += minute;
    const batch = world.triggerOf('batch', 1, world.demands(unitOf('right'), { batch: { key: '', bytes: 1 } }));
    world.runTogether([batch, { kind: 'tick' }]);
    expect(world.where(waiting)).toBe('runs');
    expect(world.where(batch.runs[0]?.runId ?? '')).toBe('runs');
  });

  it('holds up nobody while it has no units', () => {
    const world = new World({ left: 1, right: 1, leftWindow: 'HOUR' });
    world.spendAll();
    const waiting = world.ask('one', unitOf('right', 'left'), { priority: 3 });
    world.refill();
    const later = world.ask('other', unitOf('right'));
    expect([waiting, later].map((id) => world.where(id))).toEqual(['waits for units', 'runs']);
  });

  it('is as it was after a transaction that was taken back', () => {
    const world = new World({ left: 1, right: 1 });
    world.spendAll();
    const better = world.ask('other', unitOf('left', 'right'), { priority: 2 });
    const worse = world.ask('one', unitOf('right'));
    world.nowUs += minute;
    const before = world.image();
    world.rollback([{ kind: 'tick' }]);
    expect(world.image()).toEqual(before);
    world.run({ kind: 'tick' });
    expect([better, worse].map((id) => world.where(id))).toEqual(['runs', 'waits for units']);
  });
});
