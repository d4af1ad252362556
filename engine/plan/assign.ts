import { LiveState } from '../model/live-state.ts';
import type { ActionQueue } from './action-queue.ts';
import { journal, moveTo, type Plan } from './plan.ts';
import type { PlannerWorker, SlotUse } from './planner-worker.ts';

/**
 * Gives waiting tasks to workers with room, at the end of a batch: first the queues that gained a task,
 * then the workers that gained room, each over all its queues in turn. Work is proportional to what is assigned.
 */
export function assignWaiting(plan: Plan): void {
  const { hungry, roomy } = plan.state;
  for (const queue of hungry) {
    for (let row = queue.head; row >= 0; row = queue.head) {
      const worker = pickWorker(queue, plan.state.stepOf(row).slots);
      if (worker === undefined) break;
      assign(plan, queue, row, worker);
    }
  }
  hungry.clear();
  for (const worker of roomy) pullFor(plan, worker);
  roomy.clear();
}

function pickWorker(queue: ActionQueue, cost: readonly SlotUse[]): PlannerWorker | undefined {
  const { workers } = queue;
  for (let i = 0; i < workers.length; i++) {
    const at = (queue.turn + i) % workers.length;
    const worker = workers[at];
    if (worker?.takes(cost) === true) {
      queue.turn = at + 1;
      return worker;
    }
  }
  return undefined;
}

function pullFor(plan: Plan, worker: PlannerWorker): void {
  const queues = plan.state.queuesOf(worker);
  for (let idle = 0; idle < queues.length; ) {
    const queue = queues[worker.turn % queues.length];
    worker.turn++;
    const row = queue?.head ?? -1;
    if (queue === undefined || row < 0 || !worker.takes(plan.state.stepOf(row).slots)) {
      idle++;
      continue;
    }
    assign(plan, queue, row, worker);
    idle = 0;
  }
}

function assign(plan: Plan, queue: ActionQueue, row: number, worker: PlannerWorker): void {
  const { state, changes, nowUs } = plan;
  const { tasks, undo } = state;
  const step = state.stepOf(row);
  queue.remove(row, undo);
  moveTo(plan, row, LiveState.Running);
  tasks.write('worker', row, worker.index, undo);
  worker.hold(row, undo);
  worker.occupy(step.slots, undo);
  state.deadlines.set(row, nowUs + step.definition.executionTimeoutMs * 1000, undo);
  journal(plan, row, 'A');
  const { version } = step;
  const run = state.runOf(row);
  changes.effects.push({
    kind: 'dispatch',
    tenantId: version.tenantId,
    workerId: worker.id,
    taskId: tasks.id(row),
    runId: state.runIdOf(row),
    workflowId: version.workflowId,
    versionId: version.versionId,
    stepName: step.definition.name,
    action: step.definition.action,
    attempt: tasks.attempt[row] ?? 0,
    generation: tasks.generation[row] ?? 1,
    priority: tasks.priority[row] ?? 1,
    parents: step.definition.parents.map((parent) => ({ name: version.definition.steps[parent]?.name ?? '', taskId: run?.taskIds[parent] ?? '' })),
  });
}
