import { describe, expect, it } from 'vitest';
import { overviewOf } from '../../../engine/figures/overview.ts';
import type { ConcurrencyDemand, RateLimitDemand } from '../../../engine/model/task/demands.ts';
import type { StepDemands } from '../../../engine/model/task/trigger-run.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';

const engine = { version: '1', startedAt: new Date(0) };

function asks(demands: { concurrency?: ConcurrencyDemand[]; rateLimits?: RateLimitDemand[] }): StepDemands[] {
  return [{ demands: { concurrency: [], rateLimits: [], labels: [], desiredWorkerId: null, ...demands }, error: null }];
}

function world(): PlannerWorld {
  const made = new PlannerWorld();
  made.put(workflowOf('one', [stepOf('one')]));
  return made;
}

describe('overviewOf', () => {
  it('counts as queued what waits for a worker, a place or units', () => {
    const made = world();
    made.register({ actions: ['wf:one'], slots: 2 });
    const key: ConcurrencyDemand = {
      level: 'task',
      strategyId: 's/0',
      strategy: 'GROUP_ROUND_ROBIN',
      key: 'k',
      maxRuns: 1,
    };
    const unit = (units: number): RateLimitDemand => ({ key: 'api', units, limit: 1, window: 'MINUTE' });
    for (let index = 0; index < 3; index++) made.trigger('one', 1, asks({ concurrency: [key] }));
    for (const units of [1, 1, 5]) made.trigger('one', 1, asks({ rateLimits: [unit(units)] }));
    made.trigger('one');
    expect(overviewOf(made.state, tenantId, engine)).toMatchObject({
      queued: 5n,
      running: 2n,
      workers: 1,
      slotsTotal: 2,
      slotsUsed: 2,
    });
  });

  it('tells a worker from one that takes its place', () => {
    const made = world();
    const first = made.register({ actions: ['wf:one'] });
    const before = overviewOf(made.state, tenantId, engine);
    made.run({ kind: 'workerPresence', tenantId, workerId: first, assignable: false });
    made.register({ actions: ['wf:one'] });
    const after = overviewOf(made.state, tenantId, engine);
    expect(after.workers).toBe(before.workers);
    expect(after.workersRevision).not.toBe(before.workersRevision);
    expect(after.workflowsRevision).toBe(before.workflowsRevision);
  });

  it('tells of a worker that does not answer, and that it does again', () => {
    const made = world();
    const workerId = made.register({ actions: ['wf:one'], slots: 1 });
    const taskId = made.trigger('one');
    const revision = (): string => overviewOf(made.state, tenantId, engine).workersRevision;
    const first = revision();
    made.run({ kind: 'unanswered', tenantId, workerId, attempts: [{ taskId, attempt: 0, invocation: null }] });
    expect(revision()).not.toBe(first);
    made.run({ kind: 'workerAnswered', tenantId, workerId });
    expect(revision()).toBe(first);
  });

  it('tells that workflows were registered, paused and resumed', () => {
    const made = world();
    const workflowId = made.state.latestVersion(tenantId, 'one')?.workflowId ?? '';
    const revision = (): string => overviewOf(made.state, tenantId, engine).workflowsRevision;
    const first = revision();
    made.run({ kind: 'pauseWorkflow', tenantId, workflowId, paused: true });
    expect(revision()).not.toBe(first);
    made.run({ kind: 'pauseWorkflow', tenantId, workflowId, paused: false });
    expect(revision()).toBe(first);
    made.put(workflowOf('one', [stepOf('one', { retries: 3 })]));
    expect(revision()).not.toBe(first);
  });

  it('is empty where the shard is not owned', () => {
    expect(overviewOf(undefined, tenantId, engine)).toMatchObject({ queued: 0n, workers: 0 });
  });
});
