import { describe, expect, it, vi } from 'vitest';
import type { ConcurrencyDemand, Demands, RateLimitDemand } from '../../../engine/model/task/demands.ts';
import type { StepDemands } from '../../../engine/model/task/trigger-run.ts';
import { SettleBudget } from '../../../engine/plan/state/settle-budget.ts';
import { PlannerWorker } from '../../../engine/plan/queue/planner-worker.ts';
import { rankOf } from '../../../engine/plan/queue/task-order.ts';
import { LiveState } from '../../../engine/model/task/live-state.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';
import { rowOf } from '../../helpers/row-of.ts';
import { tenantOf } from '../../helpers/tenant.ts';

const actions = ['wf:one', 'wf:other'];

function asks(demands: Partial<Demands>): StepDemands[] {
  return [{ demands: { concurrency: [], rateLimits: [], labels: [], desiredWorkerId: null, ...demands }, error: null }];
}

const unit: RateLimitDemand = { key: 'api', units: 1, limit: null, window: 'MINUTE' };

function place(strategy: ConcurrencyDemand['strategy'], maxRuns: number, key = 'k'): ConcurrencyDemand {
  return { level: 'task', strategyId: 's', strategy, key, maxRuns };
}

/** A planner that notes what each transaction writes: rows, and changes of memory that an undo would take back. */
class World extends PlannerWorld {
  readonly transactions: { rows: number; assigned: number; writes: number }[] = [];

  constructor() {
    super();
    this.put(workflowOf('single', [stepOf('one', { scheduleTimeoutMs: 86_400_000 })]));
    this.put(workflowOf('second', [stepOf('other', { scheduleTimeoutMs: 86_400_000 })]));
    this.write = (changes): void => {
      const { liveInserts, liveUpdates, liveDeletes, history, results, effects } = changes;
      this.transactions.push({
        rows: [liveInserts, liveUpdates, liveDeletes, history, results].reduce((sum, list) => sum + list.length, 0),
        assigned: effects.filter(({ kind }) => kind === 'dispatch').length,
        writes: this.state.undo.mark(),
      });
    };
  }

  /** Triggers of one kind, 500 a transaction. */
  queue(count: number, demands: (index: number) => readonly StepDemands[] | null): void {
    for (let from = 0; from < count; from += 500)
      this.runTogether(
        Array.from({ length: Math.min(500, count - from) }, (_, index) =>
          this.triggerOf('single', 1, demands(from + index)),
        ),
      );
  }

  /** What one command costs, with the transactions that follow from it. */
  cost(deed: () => void): { rows: number; writes: number; transactions: number } {
    const from = this.transactions.length;
    deed();
    const own = this.transactions.slice(from);
    return {
      rows: own.reduce((sum, { rows }) => sum + rows, 0),
      writes: own.reduce((sum, { writes }) => sum + writes, 0),
      transactions: own.length,
    };
  }

  running(): string[] {
    const { tasks } = this.state;
    return [...tasks.rows()].filter((row) => tasks.state[row] === LiveState.Running).map((row) => tasks.id(row));
  }

  complete(taskId: string): void {
    this.run({ kind: 'completed', tenantId, taskId, attempt: 0, output: '{}' });
  }
}

/** The longest list that a deed sorts or filters. */
function longestList(deed: () => void): number {
  const spies = [vi.spyOn(Array.prototype, 'sort'), vi.spyOn(Array.prototype, 'filter')];
  deed();
  let longest = 0;
  for (const { mock } of spies)
    for (const list of mock.contexts) longest = Math.max(longest, Array.isArray(list) ? list.length : 0);
  vi.restoreAllMocks();
  return longest;
}

describe('behind a rate limit', () => {
  const behind = (count: number): World => {
    const world = new World();
    world.run({ kind: 'putRateLimit', tenantId, key: 'api', limit: 20, window: 'MINUTE' });
    world.register({ actions, slots: 1_000 });
    world.queue(count, () => asks({ rateLimits: [unit] }));
    expect(world.running()).toHaveLength(20);
    return world;
  };

  it('a task that cannot go on stops its line: nobody behind it is written', () => {
    const world = behind(3_000);
    const asked = world.stored.history.filter(({ transitions }) => transitions.includes('REQUEUED_RATE_LIMIT'));
    expect(asked).toHaveLength(1);
  });

  it.each([
    [
      'another size',
      (world: World) => world.run({ kind: 'putRateLimit', tenantId, key: 'api', limit: 10, window: 'MINUTE' }),
    ],
    [
      'the same size',
      (world: World) => world.run({ kind: 'putRateLimit', tenantId, key: 'api', limit: 20, window: 'MINUTE' }),
    ],
    ['no size any more', (world: World) => world.run({ kind: 'deleteRateLimit', tenantId, key: 'api' })],
    [
      'a refill',
      (world: World) => {
        world.nowUs += 61_000_000;
        world.run({ kind: 'tick' });
        expect(world.running()).toHaveLength(40);
      },
    ],
  ] as const)('%s costs the same with 1,000 and with 10,000 tasks', (_, deed) => {
    const [few, many] = [behind(1_000), behind(10_000)];
    expect(many.cost(() => deed(many))).toEqual(few.cost(() => deed(few)));
  });
});

it('a refill of two limits that are asked together costs the same with 200 lines and with 2,000', () => {
  const behind = (lines: number): World => {
    const world = new World();
    for (const key of ['api', 'mails']) world.run({ kind: 'putRateLimit', tenantId, key, limit: 20, window: 'MINUTE' });
    world.register({ actions, slots: 10_000 });
    const rateLimits = [unit, { ...unit, key: 'mails' }];
    const label = { key: 'gpu', comparator: 'EQUAL' as const, required: false, weight: 100 };
    world.queue(lines, (index) => asks({ rateLimits, labels: [{ ...label, value: index }] }));
    return world;
  };
  const refill = (world: World) => (): void => {
    world.nowUs += 61_000_000;
    world.run({ kind: 'tick' });
    expect(world.running()).toHaveLength(40);
  };
  const [few, many] = [behind(200), behind(2_000)];
  expect(many.cost(refill(many))).toEqual(few.cost(refill(few)));
});

describe('lines that wait for a worker', () => {
  const labelled = (count: number): World => {
    const world = new World();
    world.register({ actions, slots: 1_000_000, labels: { gpu: 0 } });
    world.queue(count, (index) =>
      asks({ labels: [{ key: 'gpu', value: index + 1, comparator: 'EQUAL', required: true, weight: 100 }] }),
    );
    return world;
  };
  const asked = (deed: () => void): number => {
    const spy = vi.spyOn(PlannerWorker.prototype, 'takes');
    deed();
    const { length } = spy.mock.calls;
    spy.mockRestore();
    return length;
  };

  it('are not looked at for another trigger, however many they are', () => {
    const [few, many] = [labelled(200), labelled(2_000)];
    const trigger = (world: World) => (): void => void world.trigger('single');
    const [first, second] = [asked(trigger(few)), asked(trigger(many))];
    expect(second).toBe(first);
    expect(few.running()).toHaveLength(1);
  });

  it('are found by the worker that suits them, however many others there are', () => {
    const join = (world: World) => (): void => void world.register({ actions, slots: 5, labels: { gpu: 7 } });
    const [few, many] = [labelled(200), labelled(2_000)];
    const [first, second] = [asked(join(few)), asked(join(many))];
    expect(second).toBe(first);
    expect(many.running()).toHaveLength(1);
  });
});

describe('lines that nobody waits in any more', () => {
  it('are forgotten, and come into being again', () => {
    const world = new World();
    const labels = (value: number): StepDemands[] =>
      asks({ labels: [{ key: 'gpu', value, comparator: 'EQUAL', required: true, weight: 100 }] });
    for (let round = 0; round < 3; round++) {
      world.queue(3_000, (index) => labels(round * 3_000 + index));
      const { tasks } = world.state;
      world.run({ kind: 'cancel', tenantId, ids: Array.from(tasks.rows(), (row) => tasks.id(row)) });
      expect(tasks.size).toBe(0);
      // A list has the number of one that was forgotten, not one after those of 3,000 lines.
      const list = world.state.lists.create();
      expect(list.id).toBeLessThan(3_100);
      world.state.lists.drop(list);
    }
    world.queue(5, labels);
    world.register({ actions, slots: 10, labels: { gpu: 3 } });
    expect(world.running()).toHaveLength(1);
    expect(world.broken()).toBeUndefined();
  });
});

describe('workers', () => {
  it('that are full are not asked when another has room again', () => {
    const fleet = (count: number): World => {
      const world = new World();
      for (let index = 0; index < count; index++) world.register({ actions, slots: 1 });
      world.queue(count + 10, () => null);
      return world;
    };
    const asked = [20, 200].map((count) => {
      const world = fleet(count);
      const freed = world.running()[count - 5] ?? '';
      const spy = vi.spyOn(PlannerWorker.prototype, 'takes');
      world.complete(freed);
      const { length } = spy.mock.calls;
      spy.mockRestore();
      expect(world.running()).toHaveLength(count);
      return length;
    });
    expect(asked[1]).toBe(asked[0]);
  });
});

describe('one transaction', () => {
  it('assigns no more than it has a budget for, and the next go on without a command', () => {
    const world = new World();
    world.queue(5_000, () => null);
    const { transactions } = world.cost(() => world.register({ actions, slots: 100_000 }));
    expect(world.running()).toHaveLength(5_000);
    expect(Math.max(...world.transactions.map(({ assigned }) => assigned))).toBeLessThanOrEqual(500);
    expect(transactions).toBeLessThan(15);
  });

  it('takes no more tasks from a lost worker than it has a budget for', () => {
    const world = new World();
    const workerId = world.register({ actions, slots: 100_000 });
    world.queue(5_000, () => null);
    expect(world.running()).toHaveLength(5_000);
    const from = world.transactions.length;
    world.run({ kind: 'workerLost', tenantId, workerId, forget: true });
    expect(Math.max(...world.transactions.slice(from).map(({ rows }) => rows))).toBeLessThan(4_000);
    expect(world.running()).toHaveLength(0);
    expect(world.state.workersById.has(workerId)).toBe(false);
    expect(world.broken()).toBeUndefined();
    world.register({ actions, slots: 100_000 });
    expect(world.running()).toHaveLength(5_000);
  });

  it('judges no more arrivals than it has a budget for', () => {
    const world = new World();
    world.goesOn = false;
    world.runTogether(
      Array.from({ length: 5_000 }, (_, index) =>
        world.triggerOf('single', 1, asks({ concurrency: [place('GROUP_ROUND_ROBIN', 1, `k${index % 100}`)] })),
      ),
    );
    const judged = (): number =>
      [...world.state.groups.values()].reduce((sum, { held, waiting }) => sum + held + waiting.length, 0);
    expect(judged()).toBe(1_000);
    expect(world.goOn()).toBeLessThan(6);
    expect(judged()).toBe(5_000);
    expect(world.broken()).toBeUndefined();
  });
});

describe('a strategy that cancels', () => {
  it('CANCEL_IN_PROGRESS does not go through its members for each arrival', () => {
    const world = new World();
    const demands = asks({ concurrency: [place('CANCEL_IN_PROGRESS', 500)] });
    world.register({ actions, slots: 10_000 });
    world.queue(501, () => demands);
    expect(longestList(() => void world.trigger('single', 1, demands))).toBeLessThan(100);
    // Nobody was told yet that 2 of the 500 places went to newer ones.
    expect(world.running()).toHaveLength(500);
    expect([...world.state.groups.values()].map(({ held }) => held)).toEqual([500]);
  });

  it('CANCEL_QUEUED_EXCEPT_NEWEST does not go through its members for each arrival', () => {
    const world = new World();
    const demands = asks({ concurrency: [place('CANCEL_QUEUED_EXCEPT_NEWEST', 500)] });
    world.register({ actions, slots: 10_000 });
    world.queue(502, () => demands);
    expect(longestList(() => void world.trigger('single', 1, demands))).toBeLessThan(100);
    expect(world.state.tasks.size).toBe(501);
  });

  it('cancels in slices where a limit was lowered, and ends with those that it would have kept at once', () => {
    const made = [100, 7].map((budget) => {
      const world = new World();
      world.register({ actions, slots: 10_000 });
      world.queue(60, () => asks({ concurrency: [place('CANCEL_IN_PROGRESS', 60)] }));
      world.budget = () => new SettleBudget(budget, 1_000);
      world.trigger('single', 1, asks({ concurrency: [place('CANCEL_IN_PROGRESS', 3)] }));
      return world;
    });
    const [atOnce, inSlices] = made.map((world) => world.running());
    expect(inSlices).toEqual(atOnce);
    expect(inSlices).toHaveLength(3);
  });
});

describe('what is left for the next transaction', () => {
  it('is shared between tenants: one with few tasks does not wait for one with many', () => {
    const world = new World();
    const other = tenantOf('00000000-0000-7000-8000-00000000000b');
    const definition = workflowOf('theirs', [stepOf('theirs')]);
    world.run({
      kind: 'putWorkflow',
      tenantId: other,
      definition,
      checksum: 'x',
      workflowId: world.id(),
      versionId: world.id(),
      filterIds: [],
      crons: [],
    });
    const workerId = world.id();
    world.run({
      kind: 'registerWorker',
      tenantId: other,
      workerId,
      name: 'w',
      actions: ['wf:theirs'],
      slots: { default: 10 },
      labels: {},
      runtime: {},
    });
    world.run({ kind: 'workerPresence', tenantId: other, workerId, assignable: true });
    world.queue(5_000, () => null);
    world.goesOn = false;
    world.register({ actions, slots: 100_000 });
    expect(world.state.hasMore).toBe(true);
    const version = world.state.latestVersion(other, 'theirs');
    const runId = world.id();
    const [run] = world.triggerOf('single').runs;
    if (run === undefined || version === undefined) throw new Error('no run');
    world.run({
      kind: 'trigger',
      tenantId: other,
      runs: [{ ...run, runId, taskIds: [runId], versionId: version.versionId }],
    });
    expect(world.state.hasMore).toBe(true);
    expect(world.running()).toContain(runId);
  });

  it('is there again after a transaction that was taken back: what a take-over recovered, too', () => {
    const world = new World();
    world.register({ actions, slots: 10 });
    const { state } = world;
    const [held, recovered] = [1, 2].map(() =>
      world.triggerOf('single', 1, asks({ concurrency: [place('GROUP_ROUND_ROBIN', 2)] })),
    );
    if (held === undefined || recovered === undefined) throw new Error('no trigger');
    world.run(held);
    // As recovery leaves it: in line to be judged, and nothing to take back.
    world.goesOn = false;
    world.budget = () => new SettleBudget(0, 0);
    world.run(recovered);
    const row = rowOf(state.tasks, recovered.runs[0]?.runId ?? '');
    const [group] = state.groups.values();
    const extras = state.extras.get(row);
    expect([group?.held, extras?.taskRequest?.held]).toEqual([1, false]);
    expect(state.tasks.rank[row]).toBe(rankOf(1));
    expect(state.hasMore).toBe(true);
    world.budget = () => new SettleBudget();
    world.rollback([]);
    expect(state.hasMore).toBe(true);
    world.goOn();
    expect(world.running()).toHaveLength(2);
  });
});
