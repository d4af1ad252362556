import { describe, expect, it } from 'vitest';
import { queueFigures } from '../../../engine/figures/queue-figures.ts';
import type { ConcurrencyDemand, Demands, RateLimitDemand } from '../../../engine/model/task/demands.ts';
import type { StepDemands } from '../../../engine/model/task/trigger-run.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';
import { tenantOf } from '../../helpers/tenant.ts';

function asks(demands: Partial<Demands>): StepDemands[] {
  return [{ demands: { concurrency: [], rateLimits: [], labels: [], desiredWorkerId: null, ...demands }, error: null }];
}

const place = (strategyId: string, key: string, maxRuns = 1): ConcurrencyDemand => ({
  level: 'task',
  strategyId,
  strategy: 'GROUP_ROUND_ROBIN',
  key,
  maxRuns,
});
const units = (key: string, amount: number, limit: number): RateLimitDemand => ({
  key,
  units: amount,
  limit,
  window: 'MINUTE',
});

function world(slots = 2): PlannerWorld {
  const made = new PlannerWorld();
  made.put(workflowOf('one', [stepOf('one', { retries: 1, backoffFactor: 2 })]));
  made.register({ actions: ['wf:one'], slots });
  return made;
}

describe('queueFigures', () => {
  it('counts what waits, for what, and what runs', () => {
    const made = world(2);
    const [failing] = [made.trigger('one'), made.trigger('one'), made.trigger('one')];
    made.run({ kind: 'failed', tenantId, taskId: failing ?? '', attempt: 0, error: 'boom', mayRetry: true });
    made.trigger('one', 1, asks({ concurrency: [place('s/0', 'k')] }));
    made.trigger('one', 1, asks({ concurrency: [place('s/0', 'k')] }));
    made.trigger('one', 1, asks({ concurrency: [place('s/0', 'k')] }));
    const { rows, rowCount } = queueFigures(made.state, tenantId);
    expect(rowCount).toBe(1);
    expect(rows).toMatchObject([
      { action: 'wf:one', queued: 1n, running: 2n, delayed: 1n, waitingForPlace: 2n, waitingForUnits: 0n, workers: 1 },
    ]);
    expect(rows[0]?.oldestQueuedAt).toBeInstanceOf(Date);
  });

  it('names each key by who declared it, the one that most wait for first', () => {
    const made = world(100);
    const workflowId = made.state.latestVersion(tenantId, 'one')?.workflowId ?? '';
    for (let index = 0; index < 4; index++)
      made.trigger('one', 1, asks({ concurrency: [place('shared/per/user', 'a b', 2)] }));
    for (let index = 0; index < 5; index++)
      made.trigger('one', 1, asks({ concurrency: [place(`${workflowId}/one/0`, 'k')] }));
    made.trigger('one', 1, asks({ concurrency: [place(`${workflowId}/0`, 'idle', 3)] }));
    expect(queueFigures(made.state, tenantId).keys).toEqual([
      {
        key: 'k',
        workflowName: 'one',
        taskName: 'one',
        sharedName: '',
        strategy: 'GROUP_ROUND_ROBIN',
        held: 1,
        maxRuns: 1,
        waiting: 4n,
      },
      {
        key: 'a b',
        workflowName: '',
        taskName: '',
        sharedName: 'per/user',
        strategy: 'GROUP_ROUND_ROBIN',
        held: 2,
        maxRuns: 2,
        waiting: 2n,
      },
      {
        key: 'idle',
        workflowName: 'one',
        taskName: '',
        sharedName: '',
        strategy: 'GROUP_ROUND_ROBIN',
        held: 1,
        maxRuns: 3,
        waiting: 0n,
      },
    ]);
  });

  it('shows the units of rate limits, who waits, and when they refill', () => {
    const made = world(100);
    for (let index = 0; index < 3; index++) made.trigger('one', 1, asks({ rateLimits: [units('api', 2, 5)] }));
    made.trigger('one', 1, asks({ rateLimits: [units('api', 9, 5)] }));
    const { limits, rows } = queueFigures(made.state, tenantId);
    expect(limits).toMatchObject([
      { key: 'api', limit: 5n, window: 'MINUTE', used: 4n, waiting: 1n, tooLarge: 1n, isStatic: false },
    ]);
    expect(limits[0]?.refillAt?.getTime()).toBeGreaterThan(made.nowUs / 1000);
    expect(rows).toMatchObject([{ queued: 0n, running: 2n, waitingForUnits: 2n }]);
  });

  it('is bounded, and says how many there are', () => {
    const made = world(1_000);
    for (let index = 0; index < 300; index++)
      made.trigger('one', 1, asks({ concurrency: [place('s/0', `key ${index}`)] }));
    made.trigger('one', 1, asks({ concurrency: [place('s/0', 'key 299')] }));
    const { keys, keyCount } = queueFigures(made.state, tenantId);
    expect(keyCount).toBe(300);
    expect(keys).toHaveLength(200);
    expect(keys[0]).toMatchObject({ key: 'key 299', waiting: 1n });
  });

  it('shows nothing of another tenant, or of a shard that is not owned', () => {
    const made = world();
    made.trigger('one', 1, asks({ concurrency: [place('s/0', 'k')], rateLimits: [units('api', 1, 5)] }));
    const nothing = { rows: [], keys: [], limits: [], rowCount: 0, keyCount: 0, limitCount: 0 };
    expect(queueFigures(made.state, tenantOf('00000000-0000-7000-8000-00000000000b'))).toEqual(nothing);
    expect(queueFigures(undefined, tenantId)).toEqual(nothing);
  });
});
