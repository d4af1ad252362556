import { expect, it } from 'vitest';
import { EntryKind } from '../../../engine/model/durable/durable.ts';
import { RunStatus } from '../../../engine/model/task/status.ts';
import { InvocationProgress } from '../../../engine/plan/durable/invocation-progress.ts';
import { DurableLog, type DurableNode } from '../../../engine/plan/durable/durable-log.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';
import { TaskTable } from '../../../engine/plan/state/table/task-table.ts';

function world(): PlannerWorld {
  const made = new PlannerWorld();
  made.put(workflowOf('single', [stepOf('one')]));
  return made;
}

it('schedules that are moved or deleted long before their time do not gather', () => {
  const made = world();
  const workflowId = made.state.latestVersion(tenantId, 'single')?.workflowId ?? '';
  const dueUs = made.nowUs + 30 * 86_400_000_000;
  const kept = made.id();
  const schedule = (id: string) => ({
    id,
    tenantId,
    workflowId,
    dueUs,
    input: '{}',
    metadata: '{}',
    priority: null,
    parentTaskId: null,
  });
  made.run({ kind: 'putSchedules', tenantId, schedules: [schedule(kept)] });
  for (let n = 0; n < 10_000; n++) {
    const id = made.id();
    made.run({ kind: 'putSchedules', tenantId, schedules: [schedule(id)] });
    made.run({ kind: 'deleteTimers', tenantId, timers: 'schedule', ids: [id] });
    made.run({ kind: 'reschedule', tenantId, updates: [{ id: kept, dueUs: dueUs + n }] });
  }
  expect(made.state.timers.size).toBeLessThan(2000);
  expect(made.state.timers.first).toMatchObject({ id: kept, dueUs: dueUs + 9_999 });
});

it('sleeps of waits that something else has met do not gather while their task stays on its worker', () => {
  const made = world();
  const { durable } = made.state;
  const log = new DurableLog({ taskId: made.id(), branch: 1, nodes: [] });
  const task = {
    row: new TaskTable().insert(log.taskId),
    tenantId,
    log,
    delivery: new InvocationProgress({ position: 0 }),
  };
  durable.hold(task);
  const ask = (ms: number): DurableNode => {
    const conditions = [{ kind: 'sleep', ms, duration: `${ms}ms`, group: 0, dataKey: 'sleep' } as const];
    const node: DurableNode = {
      branch: 1,
      node: log.nodes.length + 1,
      kind: EntryKind.Wait,
      fingerprint: '',
      asked: { kind: 'wait', conditions, label: null },
      askedSeq: made.nowUs,
      askedUs: made.nowUs,
      invocation: 1,
      childRunId: null,
      met: [],
      result: null,
      need: 0,
    };
    log.add(node);
    durable.watch(task, node);
    return node;
  };
  // Before all others: what is behind it in the heap is not seen.
  const first = ask(3_600_000);
  for (let n = 1; n <= 5000; n++) {
    ask(86_400_000).result = { seq: n, status: RunStatus.Completed };
    if (n % 100 === 0) made.run({ kind: 'tick' });
  }
  made.run({ kind: 'tick' });
  expect(durable.sleeps.size).toBeLessThan(2000);
  expect(durable.sleeps.first?.node).toBe(first);
});
