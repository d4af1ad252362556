import { LiveFlag, LiveState } from '../../model/live-state.ts';
import { RunStatus } from '../../model/status.ts';
import type { Assignment } from '../../model/effect.ts';
import { placementOf } from './enqueue.ts';
import { flushBudget, flushNext, type FlushBudget } from '../batch-tasks/flush-batch.ts';
import { moveGathered } from '../batch-tasks/gather-task.ts';
import type { ActionQueue } from './action-queue.ts';
import { canTake, pickWorker, type Placement } from './placement.ts';
import { beginInvocation } from '../durable/durable-begin.ts';
import { hasFlag, journal, moveTo, type Plan } from '../state/plan.ts';
import type { PlannerWorker } from './planner-worker.ts';
import type { LiveRun, ShardState } from '../state/shard-state.ts';
import { missingUnits, spendUnits, waitForUnits } from '../rate-limits/spend-units.ts';

/**
 * Gives waiting tasks to workers with room, at the end of a batch: first the queues that gained a task,
 * then the workers that gained room, each over all its queues in turn. Work is proportional to what is assigned.
 */
export function assignWaiting(plan: Plan): void {
  const { hungry, roomy } = plan.state;
  const budget = flushBudget();
  for (const queue of hungry) {
    const passed = new Set<Placement>();
    while (assignNext(plan, queue, { passed, roomy: undefined, budget }));
  }
  hungry.clear();
  for (const worker of roomy) pullFor(plan, worker, budget);
  roomy.clear();
}

/** Over the worker's queues, one task from each in turn, until none has a task for it. */
function pullFor(plan: Plan, worker: PlannerWorker, budget: FlushBudget): void {
  const queues = plan.state.queuesOf(worker);
  const passed = new Set<Placement>();
  for (let idle = 0; idle < queues.length;) {
    const queue = queues[worker.turn % queues.length];
    worker.turn++;
    if (queue !== undefined && assignNext(plan, queue, { passed, roomy: worker, budget })) idle = 0;
    else idle++;
  }
}

/**
 * Assigns one task of the queue, or one batch: the first that some worker can take, or, for a worker that gained room, that this one could.
 * It may still go to another that suits it better. `passed` gathers the placements that nobody has room for.
 */
function assignNext(
  plan: Plan,
  queue: ActionQueue,
  { passed, roomy, budget }: { passed: Set<Placement>; roomy: PlannerWorker | undefined; budget: FlushBudget },
): boolean {
  const flush =
    queue.gathering === 0
      ? undefined
      : flushNext(plan, queue, { passed, roomy, budget, start: (row, worker) => start(plan, row, worker) });
  if (flush !== undefined) {
    const { batch, rows, reason, worker } = flush;
    const members = rows.map((row) => assignment(plan, row, worker));
    plan.changes.effects.push({
      kind: 'dispatchBatch',
      batchId: batch.id,
      key: batch.group.key,
      reason,
      atUs: plan.nowUs,
      members,
    });
    return true;
  }
  for (let next = queue.next(passed); next !== undefined; next = queue.next(passed)) {
    const { row, placement } = next;
    const at = roomy === undefined || canTake(roomy, placement) ? pickWorker(queue.workers, queue.turn, placement) : -1;
    const worker = queue.workers[at];
    if (worker === undefined) {
      passed.add(placement);
      continue;
    }
    const missing = hasFlag(plan, row, LiveFlag.Restored) ? undefined : missingUnits(plan, row, queue.tenantId);
    if (missing !== undefined) {
      waitForUnits(plan, row, missing);
      continue;
    }
    queue.turn = at + 1;
    assign(plan, row, worker);
    next.turn();
    return true;
  }
  return false;
}

function assign(plan: Plan, row: number, worker: PlannerWorker): void {
  const { state, changes } = plan;
  const step = state.stepOf(row);
  if (!hasFlag(plan, row, LiveFlag.Restored)) spendUnits(plan, row, step.version.tenantId);
  state.lists.leave(row, state.undo);
  worker.occupy(step.slots, state.undo);
  start(plan, row, worker);
  changes.effects.push({ kind: 'dispatch', ...assignment(plan, row, worker) });
}

/** The attempt is the worker's from here on. */
function start(plan: Plan, row: number, worker: PlannerWorker): void {
  const { state, nowUs } = plan;
  const { undo } = state;
  const { definition, version } = state.stepOf(row);
  moveTo(plan, row, LiveState.Running);
  state.tasks.write('worker', row, worker.index, undo);
  worker.hold(row, undo);
  state.deadlines.set(row, nowUs + definition.executionTimeoutMs * 1000, undo);
  journal(plan, row, 'A');
  if (definition.durable) beginInvocation(plan, row);
  if (version.definition.sticky !== null) stick(plan, row, worker);
}

function assignment({ state }: Plan, row: number, worker: PlannerWorker): Assignment {
  const { tasks } = state;
  const step = state.stepOf(row);
  const { version } = step;
  const run = state.runOf(row);
  return {
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
    parents: step.definition.parents.map((parent) => ({
      name: version.definition.steps[parent]?.name ?? '',
      taskId: run?.taskIds[parent] ?? '',
    })),
    failed: run === undefined || version.definition.onFailure !== step.index ? [] : failedTasks(run),
    triggers: triggersOf(state, row),
    invocation: step.definition.durable ? (tasks.invocation[row] ?? 0) : null,
  };
}

function failedTasks(run: LiveRun): { name: string; taskId: string }[] {
  return run.version.definition.steps.flatMap(({ name }, index) =>
    run.outcomes[index] === RunStatus.Failed ? [{ name, taskId: run.taskIds[index] ?? '' }] : [],
  );
}

/** What met the task's conditions, as JSON by data key. */
function triggersOf(state: ShardState, row: number): string {
  const wait = state.waits.get(row);
  if (wait === undefined) return '{}';
  const entries = state.stepOf(row).definition.conditions.flatMap(({ dataKey }, index) => {
    const data = wait.data[index] ?? null;
    return data === null || dataKey === '' ? [] : [`${JSON.stringify(dataKey)}:${data}`];
  });
  return `{${entries.join(',')}}`;
}

/** The run's first task decides for all: those that wait already move to lanes of their own. */
function stick(plan: Plan, row: number, worker: PlannerWorker): void {
  const { state, changes } = plan;
  const { tasks, undo } = state;
  const rows = state.runOf(row)?.taskIds.map((id) => tasks.find(id)) ?? [row];
  for (const each of rows) {
    const extras = state.extras.get(each);
    if (extras === undefined || extras.stickyWorkerId !== null) continue;
    extras.stickyWorkerId = worker.id;
    undo.record(() => {
      extras.stickyWorkerId = null;
    });
    changes.stickies.push({ taskId: tasks.id(each), workerId: worker.id });
    if (tasks.state[each] === LiveState.Batching) moveGathered(plan, each, placementOf(state, each));
    if (tasks.state[each] === LiveState.Ready && tasks.rank[each] !== 255 && hasFlag(plan, each, LiveFlag.Admitted)) {
      const rank = tasks.rank[each] ?? 0;
      state.lists.leave(each, undo);
      state.stepOf(each).queue.push(each, { rank, key: extras.ringKey, placement: placementOf(state, each) }, undo);
      state.hungry.add(state.stepOf(each).queue);
    }
  }
}
