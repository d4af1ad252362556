import { expect, it } from 'vitest';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';

function world(): PlannerWorld {
  const made = new PlannerWorld();
  made.put(workflowOf('single', [stepOf('one')]));
  return made;
}

it('workers that come and go leave nothing, nor do the actions that only they named', () => {
  const made = world();
  for (let n = 0; n < 100; n++)
    made.run({
      kind: 'workerLost',
      tenantId,
      workerId: made.register({ actions: ['wf:one', `of ${n}:one`] }),
      forget: true,
    });
  expect(made.state.workersById.size).toBe(0);
  expect([...made.state.queues.values()].map((queue) => [queue.action, queue.workers.length])).toEqual([['wf:one', 0]]);
  // One that is only lost may come back.
  const workerId = made.register({ actions: ['wf:one', 'rare:one'] });
  made.run({ kind: 'workerLost', tenantId, workerId });
  expect(made.state.workersById.has(workerId)).toBe(true);
  expect(made.state.queues.size).toBe(2);
});

it('a worker that is forgotten leaves its tasks to others; taken back, it is there as before', () => {
  const made = world();
  const workerId = made.register({ actions: ['wf:one', 'rare:one'] });
  const runId = made.trigger('single');
  const before = made.image();
  made.rollback([{ kind: 'workerLost', tenantId, workerId, forget: true }]);
  expect(made.image()).toEqual(before);
  expect(made.state.workersById.get(workerId)?.tasks.size).toBe(1);

  made.run({ kind: 'workerLost', tenantId, workerId, forget: true });
  const other = made.register({ actions: ['wf:one'] });
  expect(made.state.workersById.get(other)?.tasks.size).toBe(1);
  made.run({ kind: 'completed', tenantId, taskId: runId, attempt: 1, output: '{}' });
  expect(made.broken()).toBeUndefined();
});

it('a registration that is taken back leaves no queue for what it named, and keeps that of a worker', () => {
  const made = world();
  made.register({ actions: ['rare:one'] });
  const definition = workflowOf('rare', [stepOf('one', { action: 'rare:one' }), stepOf('two', { action: 'rare:two' })]);
  made.rollback([
    {
      kind: 'registerWorker',
      tenantId,
      workerId: made.id(),
      name: 'w',
      actions: ['rare:two', 'rare:three'],
      slots: {},
      labels: {},
      runtime: {},
    },
    {
      kind: 'putWorkflow',
      tenantId,
      definition,
      checksum: 'rare',
      workflowId: made.id(),
      versionId: made.id(),
      filterIds: [],
      crons: [],
    },
  ]);
  expect([...made.state.queues.values()].map((queue) => [queue.action, queue.steps])).toEqual([
    ['wf:one', 1],
    ['rare:one', 0],
  ]);
  made.put(definition);
  expect(made.state.queueFor(tenantId, 'rare:one').workers).toHaveLength(1);
});
