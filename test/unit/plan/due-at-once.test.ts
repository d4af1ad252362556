import { expect, it } from 'vitest';
import type { StepDemands } from '../../../engine/model/task/trigger-run.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';

const actions = ['wf:one'];

it('two back-offs that end at once go on in the order in which they were queued, also after a tick that was taken back', () => {
  const world = new PlannerWorld();
  world.put(workflowOf('single', [stepOf('one', { retries: 1, backoffFactor: 2 })]));
  const workerId = world.register({ actions, slots: 2 });
  const taskIds = [world.trigger('single'), world.trigger('single')];
  world.runTogether(
    taskIds.map((taskId) => ({ kind: 'failed', tenantId, taskId, attempt: 0, error: 'no', mayRetry: true })),
  );
  world.run({ kind: 'workerPresence', tenantId, workerId, assignable: false });
  world.nowUs += 60_000_000;
  world.rollback([{ kind: 'tick' }]);
  world.run({ kind: 'tick' });
  const from = world.effects.length;
  world.run({ kind: 'workerPresence', tenantId, workerId, assignable: true });
  expect(world.effects.slice(from).flatMap((each) => (each.kind === 'dispatch' ? [each.taskId] : []))).toEqual(taskIds);
});

it('two tasks that gather and are given up at once go in the order in which they began to', () => {
  const world = new PlannerWorld();
  const batch = { maxSize: 9, maxIntervalMs: null, groupKey: null, groupMaxRuns: null, broadcastOutput: false };
  world.put(workflowOf('gather', [stepOf('one', { batch })]));
  const demands = (key: string): StepDemands[] => [
    {
      demands: {
        concurrency: [{ level: 'task', strategyId: 's', strategy: 'GROUP_ROUND_ROBIN', key, maxRuns: 1 }],
        rateLimits: [],
        labels: [],
        desiredWorkerId: null,
      },
      error: null,
    },
  ];
  const holder = world.trigger('gather', 1, demands('held'));
  const triggers = [world.triggerOf('gather', 1, demands('held')), world.triggerOf('gather', 1, demands('free'))];
  const [later, sooner] = triggers.map(({ runs }) => runs[0]?.runId);
  world.runTogether(triggers);
  world.run({ kind: 'cancel', tenantId, ids: [holder] }); // there is a place for the first
  world.nowUs += 600_000_000;
  world.run({ kind: 'tick' });
  expect(Array.from(world.stored.results.values(), ({ taskId }) => taskId)).toEqual([holder, sooner, later]);
});
