import { describe, expect, it } from 'vitest';
import type { ConcurrencyStrategy } from '../../../engine/model/definition.ts';
import type { ConcurrencyDemand } from '../../../engine/model/task/demands.ts';
import { LiveState } from '../../../engine/model/task/live-state.ts';
import { RunStatus } from '../../../engine/model/task/status.ts';
import type { StepDemands } from '../../../engine/model/task/trigger-run.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';
import { rowOf, valueAt } from '../../helpers/row-of.ts';

const link = (
  strategy: ConcurrencyStrategy,
  key: string,
  maxRuns = 1,
  level: 'run' | 'task' = 'task',
  strategyId = `${strategy} ${level}`,
): ConcurrencyDemand => ({ level, strategyId, strategy, key, maxRuns });
const asks = (...concurrency: ConcurrencyDemand[]): StepDemands[] => [
  { demands: { concurrency, rateLimits: [], labels: [], desiredWorkerId: null }, error: null },
];

class World extends PlannerWorld {
  constructor(slots = 100) {
    super();
    this.put(workflowOf('one', [stepOf('one', { retries: 1, backoffFactor: 2 })]));
    this.register({ actions: ['wf:one'], slots });
  }

  ask(...concurrency: ConcurrencyDemand[]): string {
    return this.trigger('one', 1, asks(...concurrency));
  }

  stateOf(runId: string): string {
    const end = this.stored.runEnds.get(`${runId}/1`);
    if (end !== undefined) return end.status === RunStatus.Cancelled ? 'cancelled' : 'ended';
    return valueAt(this.state.tasks.state, this.state.tasks.find(runId)) === LiveState.Running ? 'running' : 'waiting';
  }

  states(runIds: readonly string[]): string[] {
    return runIds.map((runId) => this.stateOf(runId));
  }

  complete(runId: string): void {
    const attempt = valueAt(this.state.tasks.attempt, this.state.tasks.find(runId)) ?? 0;
    this.run({ kind: 'completed', tenantId, taskId: runId, attempt, output: '{}' });
  }

  dispatched(): string[] {
    return this.effects.flatMap((effect) => (effect.kind === 'dispatch' ? [effect.taskId] : []));
  }
}

describe('GROUP_ROUND_ROBIN', () => {
  it('runs max_runs of a key, then by priority and age', () => {
    const world = new World();
    const first = world.ask(link('GROUP_ROUND_ROBIN', 'k'));
    const low = world.ask(link('GROUP_ROUND_ROBIN', 'k'));
    const high = world.trigger('one', 3, asks(link('GROUP_ROUND_ROBIN', 'k')));
    const lowToo = world.ask(link('GROUP_ROUND_ROBIN', 'k'));
    expect(world.states([first, low, high, lowToo])).toEqual(['running', 'waiting', 'waiting', 'waiting']);
    for (const runId of [first, high, low, lowToo]) {
      expect(world.stateOf(runId)).toBe('running');
      world.complete(runId);
    }
  });

  it('a key with 10,000 waiting tasks delays another by one task at most', () => {
    const world = new World(1);
    const many = Array.from({ length: 10_000 }, () => world.ask(link('GROUP_ROUND_ROBIN', 'many', 20_000)));
    const other = world.ask(link('GROUP_ROUND_ROBIN', 'other', 20_000));
    world.complete(many[0] ?? '');
    world.complete(world.dispatched().at(-1) ?? '');
    expect(world.dispatched().slice(0, 3)).toContain(other);
  }, 60_000);

  it('keys take turns, whatever their backlog', () => {
    const world = new World(1);
    for (let i = 0; i < 30; i++) world.ask(link('GROUP_ROUND_ROBIN', 'a', 100));
    for (let i = 0; i < 10; i++) world.ask(link('GROUP_ROUND_ROBIN', 'b', 100));
    for (let i = 0; i < 10; i++) world.ask(link('GROUP_ROUND_ROBIN', 'c', 100));
    const keys: string[] = [];
    for (let i = 0; i < 15; i++) {
      const taskId = world.dispatched().at(-1) ?? '';
      keys.push(world.state.extras.get(rowOf(world.state.tasks, taskId))?.turnKey ?? '');
      world.complete(taskId);
    }
    // The first began alone; from then on each of any three in a row is another key.
    for (let i = 1; i + 2 < keys.length; i++) expect(new Set(keys.slice(i, i + 3)).size).toBe(3);
  });

  it('a place is free during a back-off, and kept while a retry is at once', () => {
    const world = new World();
    const first = world.ask(link('GROUP_ROUND_ROBIN', 'k'));
    const second = world.ask(link('GROUP_ROUND_ROBIN', 'k'));
    world.run({ kind: 'failed', tenantId, taskId: first, attempt: 0, error: 'x', mayRetry: true });
    expect(world.states([first, second])).toEqual(['waiting', 'running']);
    world.nowUs += 3_000_000;
    world.run({ kind: 'tick' });
    expect(world.states([first, second])).toEqual(['waiting', 'running']);
    world.complete(second);
    expect(world.stateOf(first)).toBe('running');
  });

  it('max_runs follows the newest task: 0 holds the key until a newer one raises it', () => {
    const world = new World();
    const held = world.ask(link('GROUP_ROUND_ROBIN', 'k', 0));
    expect(world.stateOf(held)).toBe('waiting');
    const raising = world.ask(link('GROUP_ROUND_ROBIN', 'k', 2));
    expect(world.states([held, raising])).toEqual(['running', 'running']);
  });
});

describe('cancelling strategies', () => {
  it('CANCEL_IN_PROGRESS keeps the newest, and cancels queued and running ones', () => {
    const world = new World(1);
    const running = world.ask(link('CANCEL_IN_PROGRESS', 'k', 2));
    const queued = world.ask(link('CANCEL_IN_PROGRESS', 'k', 2));
    const third = world.ask(link('CANCEL_IN_PROGRESS', 'k', 2));
    expect(world.stateOf(running)).toBe('cancelled');
    expect(world.states([queued, third])).not.toContain('cancelled');
    const fourth = world.ask(link('CANCEL_IN_PROGRESS', 'k', 2));
    expect(world.states([queued, third, fourth])).toEqual(['cancelled', 'waiting', 'waiting']);
    expect(world.effects.filter((effect) => effect.kind === 'tellCancel').map((effect) => effect.taskId)).toEqual([
      running,
    ]);
  });

  it('CANCEL_IN_PROGRESS puts priority before age, and a retry keeps the rank of its trigger', () => {
    const world = new World();
    const high = world.trigger('one', 3, asks(link('CANCEL_IN_PROGRESS', 'k')));
    const low = world.ask(link('CANCEL_IN_PROGRESS', 'k'));
    expect(world.states([high, low])).toEqual(['running', 'cancelled']);
    const old = world.ask(link('CANCEL_IN_PROGRESS', 'r'));
    world.run({ kind: 'failed', tenantId, taskId: old, attempt: 0, error: 'x', mayRetry: true });
    const young = world.ask(link('CANCEL_IN_PROGRESS', 'r'));
    world.nowUs += 3_000_000;
    world.run({ kind: 'tick' });
    expect(world.states([old, young])).toEqual(['cancelled', 'running']);
  });

  it('CANCEL_NEWEST never touches those that run', () => {
    const world = new World();
    const [first, second, third] = [
      world.ask(link('CANCEL_NEWEST', 'k', 2)),
      world.ask(link('CANCEL_NEWEST', 'k', 2)),
      world.ask(link('CANCEL_NEWEST', 'k', 2)),
    ];
    expect(world.states([first, second, third])).toEqual(['running', 'running', 'cancelled']);
    world.complete(first);
    expect(world.stateOf(world.ask(link('CANCEL_NEWEST', 'k', 2)))).toBe('running');
  });

  it('CANCEL_QUEUED_EXCEPT_NEWEST and _OLDEST leave one of those that wait', () => {
    const newest = new World();
    const waitingNewest = Array.from({ length: 4 }, () => newest.ask(link('CANCEL_QUEUED_EXCEPT_NEWEST', 'k')));
    expect(newest.states(waitingNewest)).toEqual(['running', 'cancelled', 'cancelled', 'waiting']);
    const oldest = new World();
    const waitingOldest = Array.from({ length: 4 }, () => oldest.ask(link('CANCEL_QUEUED_EXCEPT_OLDEST', 'k')));
    expect(oldest.states(waitingOldest)).toEqual(['running', 'waiting', 'cancelled', 'cancelled']);
  });
});

describe('chains', () => {
  it('every link must admit, and a task turned away by a later link pushes nobody out by an earlier one', () => {
    const world = new World();
    const holder = world.ask(link('CANCEL_NEWEST', 'last'));
    const inProgress = world.ask(link('CANCEL_IN_PROGRESS', 'first'));
    const refused = world.ask(link('CANCEL_IN_PROGRESS', 'first'), link('CANCEL_NEWEST', 'last'));
    expect(world.states([holder, inProgress, refused])).toEqual(['running', 'running', 'cancelled']);
  });

  it('a task that waits for one link holds no place of the other', () => {
    const world = new World();
    const holder = world.ask(link('GROUP_ROUND_ROBIN', 'b', 1, 'task', 'second'));
    const both = world.ask(
      link('GROUP_ROUND_ROBIN', 'a', 1, 'task', 'first'),
      link('GROUP_ROUND_ROBIN', 'b', 1, 'task', 'second'),
    );
    const alone = world.ask(link('GROUP_ROUND_ROBIN', 'a', 1, 'task', 'first'));
    expect(world.states([holder, both, alone])).toEqual(['running', 'waiting', 'running']);
    world.complete(holder);
    expect(world.stateOf(both)).toBe('waiting');
    world.complete(alone);
    expect(world.stateOf(both)).toBe('running');
  });

  it('a tenant-wide strategy shares its places among workflows', () => {
    const world = new World();
    const shared = link('GROUP_ROUND_ROBIN', 'k', 1, 'run', 'shared/gpu');
    const [first, second] = [world.ask(shared), world.ask(shared)];
    expect(world.states([first, second])).toEqual(['running', 'waiting']);
  });
});
