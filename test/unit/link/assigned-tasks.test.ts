import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { WorkerMessage } from '../../../engine/dispatch/worker-session.ts';
import { assignedAction } from '../../../engine/grpc/assigned-action.ts';
import { addTask, assignedTasks, isOfTheSame } from '../../../engine/grpc/session/assigned-tasks.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { AssignedAction } from '../../../proto/gen/hatchet/contract/dispatcher.ts';
import { AssignedTasks } from '../../../proto/gen/hatchet/session/v1/session.ts';
import { eachTask, type AssignedTask } from '../../../link/assigned-task.ts';
import { parseActionPayload } from '../../../sdk/context/action-payload.ts';
import { attemptPayload } from '../../../sdk/worker/attempt-payload.ts';
import { tenantOf } from '../../helpers/tenant.ts';

type Start = WorkerMessage & { kind: 'start' };

const ids = { workflowId: newId(), versionId: newId() };
const json = fc.json({ noUnicodeString: false });
const object = fc
  .oneof(fc.constant({}), fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 }))
  .map((value) => JSON.stringify(value));
const event = fc.constant(JSON.stringify({ hatchet__event_id: 'e', hatchet__event_key: 'k', other: 1 }));

const start = fc
  .record({
    isWhole: fc.boolean(),
    attempt: fc.oneof(fc.constant(0), fc.nat(1_000)),
    priority: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 3 })),
    invocation: fc.oneof(fc.constant(null), fc.nat(9)),
    step: fc.constantFrom('first', 'größer'),
    input: json,
    parents: object,
    triggers: object,
    errors: fc.dictionary(fc.string(), fc.string(), { maxKeys: 2 }).map((value) => JSON.stringify(value)),
    metadata: fc.oneof(object, event),
    child: fc.oneof(
      fc.constant(null),
      fc.record({
        parentTaskId: fc.constant('parent'),
        index: fc.oneof(fc.constant(null), fc.nat(9)),
        key: fc.oneof(fc.constant(null), fc.string()),
      }),
    ),
  })
  .map(({ isWhole, step, input, parents, triggers, errors, ...rest }): Start => {
    const taskId = newId();
    return {
      kind: 'start',
      tenantId: tenantOf('tenant'),
      ...ids,
      ...rest,
      taskId,
      runId: isWhole ? taskId : newId(),
      stepName: step,
      action: `wf:${step}`,
      parts: { input, parents, triggers, errors },
    };
  });

function told(starts: readonly Start[]): AssignedTask[] {
  const all: AssignedTasks[] = [];
  for (const each of starts) {
    const same = all.find((tasks) => isOfTheSame(tasks, 'w', each));
    if (same === undefined) all.push(assignedTasks('w', each));
    else addTask(same, each);
  }
  const tasks: AssignedTask[] = [];
  for (const each of all)
    eachTask(AssignedTasks.decode(AssignedTasks.encode(each).finish()), (task) => tasks.push(task));
  return tasks;
}

/** As an object of its own members: what a runner of isolated tasks is sent. */
function plain(action: AssignedAction): AssignedAction {
  return AssignedAction.decode(AssignedAction.encode({ ...action, tenantId: '' }).finish());
}

it('tells of each task what the contract tells of it, however tasks are mixed', () => {
  fc.assert(
    fc.property(fc.array(start, { minLength: 1, maxLength: 12 }), (starts) => {
      const tasks = new Map(told(starts).map((task) => [task.taskRunExternalId, task]));
      expect(tasks.size).toBe(starts.length);
      for (const each of starts) {
        const task = tasks.get(each.taskId);
        const action = assignedAction(each);
        if (task === undefined) throw new Error('it is not told of');
        expect(AssignedAction.decode(AssignedAction.encode(task).finish())).toEqual(plain(action));
        expect(attemptPayload(task)).toEqual(parseActionPayload(action.actionPayload));
      }
    }),
  );
});

it('what most tasks have in common costs nothing for each', () => {
  const one = (): Start => {
    const taskId = newId();
    return {
      kind: 'start',
      tenantId: tenantOf('tenant'),
      ...ids,
      taskId,
      runId: taskId,
      stepName: 'only',
      action: 'wf:only',
      attempt: 0,
      priority: 1,
      invocation: null,
      metadata: '{}',
      child: null,
      parts: { input: '{"i":1}', parents: '{}', triggers: '{}', errors: '{}' },
    };
  };
  const tasks = assignedTasks('w', one());
  const first = AssignedTasks.encode(tasks).finish().length;
  for (let n = 0; n < 100; n++) addTask(tasks, one());
  const each = (AssignedTasks.encode(tasks).finish().length - first) / 100;
  expect(each).toBeLessThan(36 + 7 + 2);
});
