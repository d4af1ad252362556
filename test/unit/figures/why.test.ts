import { describe, expect, it } from 'vitest';
import type { Condition, DesiredLabel } from '../../../engine/model/definition.ts';
import type { ConcurrencyDemand, Demands, RateLimitDemand } from '../../../engine/model/task/demands.ts';
import type { StepDemands } from '../../../engine/model/task/trigger-run.ts';
import { whyWaiting, type Cause } from '../../../engine/figures/why.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';
import { valueAt } from '../../helpers/row-of.ts';

function asks(demands: Partial<Demands>): StepDemands[] {
  return [{ demands: { concurrency: [], rateLimits: [], labels: [], desiredWorkerId: null, ...demands }, error: null }];
}

const place = (key: string): ConcurrencyDemand => ({
  level: 'task',
  strategyId: 's',
  strategy: 'GROUP_ROUND_ROBIN',
  key,
  maxRuns: 1,
});
const label: DesiredLabel = { key: 'gpu', value: 'a100', comparator: 'EQUAL', required: true, weight: 100 };
const units = (key: string, amount: number, limit: number | null): RateLimitDemand => ({
  key,
  units: amount,
  limit,
  window: 'MINUTE',
});

function world(): PlannerWorld {
  const made = new PlannerWorld();
  made.put(workflowOf('one', [stepOf('one', { retries: 1, backoffFactor: 2 })], { sticky: 'HARD' }));
  made.put(workflowOf('wide', [stepOf('wide', { slots: { default: 50 } })]));
  return made;
}

function why(made: PlannerWorld, taskId: string): Cause | undefined {
  return whyWaiting(made.state, taskId, made.nowUs);
}

function taskNamed(made: PlannerWorld, name: string): string {
  const row = [...made.state.tasks.rows()].find((each) => made.state.stepOf(each).definition.name === name);
  if (row === undefined) throw new Error(`no task ${name}`);
  return made.state.tasks.id(row);
}

describe('why a task is not running', () => {
  it('no worker, none connected, a paused workflow, busy slots, too few slots', () => {
    const made = world();
    const first = made.trigger('one');
    expect(why(made, first)).toMatchObject({ code: 'NO_WORKER', text: 'no worker is registered for wf:one' });
    const workerId = made.register({ actions: ['wf:one', 'wf:wide'], slots: 1 });
    expect(why(made, first)).toMatchObject({ code: 'RUNNING', ids: [workerId] });
    const second = made.trigger('one');
    expect(why(made, second)).toMatchObject({ code: 'SLOTS', ids: [workerId] });
    expect(why(made, made.trigger('wide'))).toMatchObject({
      code: 'SLOTS_NEVER',
      text: expect.stringContaining('50 default'),
    });
    made.run({ kind: 'workerPresence', tenantId, workerId, assignable: false });
    expect(why(made, second)).toMatchObject({ code: 'NO_WORKER_CONNECTED', ids: [workerId] });
    made.run({
      kind: 'pauseWorkflow',
      tenantId,
      workflowId: made.state.latestVersion(tenantId, 'one')?.workflowId ?? '',
      paused: true,
    });
    expect(why(made, second)).toMatchObject({ code: 'WORKFLOW_PAUSED' });
  });

  it('places of a key, with the runs that hold them', () => {
    const made = world();
    made.register({ actions: ['wf:one'] });
    const holder = made.trigger('one', 1, asks({ concurrency: [place('k')] }));
    const waiting = made.trigger('one', 1, asks({ concurrency: [place('k')] }));
    expect(why(made, waiting)).toEqual({
      code: 'CONCURRENCY',
      text: 'key "k" has 1 of 1 places taken (GROUP_ROUND_ROBIN), and 1 wait for one',
      untilUs: null,
      ids: [holder],
    });
    made.run({ kind: 'completed', tenantId, taskId: holder, attempt: 0, output: '{}' });
    expect(why(made, waiting)?.code).toBe('RUNNING');
    expect(why(made, holder)).toBeUndefined();
  });

  it('a batch: until it is full or its time has come, or one of its key ends', () => {
    const made = world();
    const batch = { maxSize: 2, maxIntervalMs: 5_000, groupKey: 'input.user', groupMaxRuns: 1, broadcastOutput: false };
    made.put(workflowOf('many', [stepOf('many', { batch })]));
    made.put(workflowOf('patient', [stepOf('patient', { batch: { ...batch, maxIntervalMs: null } })]));
    const gathered = asks({ batch: { key: 'ada', bytes: 1 } });
    const first = made.trigger('many', 1, gathered);
    const joinedUs = valueAt(made.state.tasks.seq, made.state.tasks.find(first)) ?? 0;
    expect(why(made, first)).toEqual({
      code: 'BATCH',
      text: 'waits in a batch for key "ada" with 1 of 2 tasks, which goes when it is full or its interval is over',
      untilUs: joinedUs + 5_000_000,
      ids: [],
    });
    expect(why(made, made.trigger('patient', 1, null))).toEqual({
      code: 'BATCH',
      text: 'waits in a batch with 1 of 2 tasks, which goes when it is full',
      untilUs: null,
      ids: [],
    });
    const second = made.trigger('many', 1, gathered);
    expect(why(made, second)?.code).toBe('NO_WORKER');
    made.register({ actions: ['wf:many'] });
    expect(why(made, second)?.code).toBe('RUNNING');
    const third = made.trigger('many', 1, gathered);
    expect(why(made, third)).toEqual({
      code: 'BATCH_LIMIT',
      text: '1 batch for key "ada" runs, as many as may at once, and 1 task waits for the next',
      untilUs: null,
      ids: [first, second],
    });
  });

  it('a rate limit: until its refill, never enough, or never put', () => {
    const made = world();
    made.register({ actions: ['wf:one'] });
    made.trigger('one', 1, asks({ rateLimits: [units('api', 2, 2)] }));
    const startedUs = made.nowUs;
    const waiting = made.trigger('one', 1, asks({ rateLimits: [units('api', 1, 2)] }));
    expect(why(made, waiting)).toMatchObject({
      code: 'RATE_LIMIT',
      text: 'asks 1 units of rate limit "api", of which 0 of 2 are left',
      untilUs: startedUs + 60_000_000,
    });
    expect(why(made, made.trigger('one', 1, asks({ rateLimits: [units('api', 9, 2)] })))?.text).toContain(
      'holds 2 MINUTE',
    );
    const unknown = made.trigger('one', 1, asks({ rateLimits: [units('nobody', 1, null)] }));
    expect(why(made, unknown)?.text).toContain('it was never put');
    made.run({ kind: 'putRateLimit', tenantId, key: 'nobody', limit: 5, window: 'SECOND' });
    expect(why(made, unknown)?.code).toBe('RUNNING');
    made.nowUs = startedUs + 60_000_000;
    made.run({ kind: 'tick' });
    expect(why(made, waiting)?.code).toBe('RUNNING');
  });

  it('a deleted rate limit: nothing until it is put again', () => {
    const made = world();
    made.register({ actions: ['wf:one'] });
    made.run({ kind: 'putRateLimit', tenantId, key: 'api', limit: 1, window: 'MINUTE' });
    made.run({ kind: 'deleteRateLimit', tenantId, key: 'api' });
    const waiting = made.trigger('one', 1, asks({ rateLimits: [units('api', 1, null)] }));
    expect(why(made, waiting)?.text).toContain('it was never put');
    made.run({ kind: 'putRateLimit', tenantId, key: 'api', limit: 1, window: 'MINUTE' });
    expect(why(made, waiting)?.code).toBe('RUNNING');
  });

  it('labels that no worker has, and a worker that alone may run it', () => {
    const made = world();
    const plain = made.register({ actions: ['wf:one'] });
    const labelled = made.trigger('one', 1, asks({ labels: [label] }));
    expect(why(made, labelled)).toMatchObject({
      code: 'LABELS',
      text: 'none of the 1 connected workers has the labels gpu EQUAL "a100"',
      ids: [plain],
    });
    made.run({ kind: 'updateWorker', tenantId, workerId: plain, labels: { gpu: 'a100' } });
    expect(why(made, labelled)?.code).toBe('RUNNING');
    const gone = made.register({ actions: ['wf:one'] });
    made.run({ kind: 'workerPresence', tenantId, workerId: gone, assignable: false });
    expect(why(made, made.trigger('one', 1, asks({ desiredWorkerId: gone })))).toMatchObject({
      code: 'STICKY',
      ids: [gone],
    });
  });

  it('a back-off, parents, conditions, and the failure that has not come', () => {
    const made = world();
    made.register({ actions: ['wf:one', 'wf:a'] });
    const retried = made.trigger('one');
    made.run({ kind: 'failed', tenantId, taskId: retried, attempt: 0, error: 'x', mayRetry: true });
    expect(why(made, retried)).toMatchObject({
      code: 'BACKOFF',
      text: 'waits for its retry 1',
      untilUs: made.nowUs + 2_000_000,
    });

    const conditions: Condition[] = [
      { kind: 'event', action: 'QUEUE', group: 0, expression: 'input.ok', dataKey: 'd', eventKey: 'go', scope: 'eu' },
      { kind: 'sleep', action: 'CANCEL', group: 1, expression: '', dataKey: 'd', ms: 5000, duration: '5s' },
    ];
    made.put(
      workflowOf('dag', [stepOf('a'), stepOf('b', { parents: [0], conditions }), stepOf('failed')], { onFailure: 2 }),
    );
    made.trigger('dag');
    const [a, b] = [taskNamed(made, 'a'), taskNamed(made, 'b')];
    expect(why(made, b)).toMatchObject({ code: 'PARENTS', text: 'waits for a', ids: [a] });
    expect(why(made, taskNamed(made, 'failed'))).toMatchObject({ code: 'ON_FAILURE' });
    made.run({ kind: 'completed', tenantId, taskId: a, attempt: 0, output: '{}' });
    expect(why(made, b)).toMatchObject({
      code: 'CONDITION',
      text: 'waits for the event "go" in scope "eu" with input.ok to start, or a sleep of 5s to be cancelled',
      untilUs: made.nowUs + 5_000_000,
    });
  });
});
