import { pickWorker } from './pick-worker.ts';
import { LiveFlag, LiveState } from '../../model/task/live-state.ts';
import { flushNext } from '../batch-tasks/flush-batch.ts';
import type { ActionQueue } from './action-queue.ts';
import { assignment } from './describe-assignment.ts';
import { type Line } from './line.ts';
import { isAhead } from './task-order.ts';
import { type Placement } from './placement.ts';
import { beginInvocation } from '../durable/begin-invocation.ts';
import { lookCost, type SettleBudget } from '../state/settle-budget.ts';
import { journal, moveTo, type Plan } from '../state/plan.ts';
import type { PlannerWorker } from './planner-worker.ts';
import { stick } from './stick-run.ts';
import type { TenantWork } from '../state/tenant-work.ts';
import { callFirst } from '../rate-limits/wake-at-refill.ts';
import { missingUnits, stopLine } from '../rate-limits/wait-for-units.ts';
import { spendUnits } from '../rate-limits/spend-units.ts';
import type { TaskRow } from '../state/table/rows.ts';

/**
 * Gives waiting tasks to workers with room: first of the lines that may go on, then of those that wait for a worker, for
 * the workers that gained room, each over all its queues in turn. Work is proportional to what is assigned, and ends with
 * the budget: what is left is noted in the tenant's work.
 */
export function assignWaiting(plan: Plan, work: TenantWork, budget: SettleBudget): void {
  const { undo } = plan.state;
  assignOpen(plan, work, budget);
  while (budget.assignments > 0 && work.workersWithRoom.size > 0) {
    const [worker] = work.workersWithRoom;
    if (worker === undefined) return;
    if (pullFor(plan, work, { worker, budget })) undo.delete(work.workersWithRoom, worker);
  }
}

/** All that may go on: until every line of these queues is empty or waits for something. */
function assignOpen(plan: Plan, work: TenantWork, budget: SettleBudget): void {
  const { undo } = plan.state;
  serveCalled(plan, work, budget);
  while (budget.assignments > 0 && work.queues.size > 0) {
    const [queue] = work.queues;
    if (queue === undefined) return;
    const passed = new Set<Placement>();
    while (budget.assignments > 0) {
      serveCalled(plan, work, budget);
      if (budget.assignments <= 0) break;
      if (
        !flush(plan, queue, { passed, worker: undefined, budget }) &&
        !goOn(plan, queue, queue.first, { work, budget })
      ) {
        undo.delete(work.queues, queue);
        break;
      }
    }
    // The budget is spent: the next transaction begins with another.
    if (work.queues.delete(queue)) work.queues.add(queue);
  }
}

/**
 * Lines that limits call go before all that did not wait, best first over all limits and queues: a task that waits for one
 * limit loses no units of another to one that asked later, in whatever order the limits and the queues are looked at.
 */
function serveCalled(plan: Plan, work: TenantWork, budget: SettleBudget): void {
  const { state } = plan;
  callLines(plan, work);
  while (budget.assignments > 0) {
    const entry = state.unsettled.firstCall(work);
    if (entry === undefined) return;
    // Its own queue keeps its order: whoever is ahead there goes first.
    const { queue } = state.stepOf(entry.row);
    if (!goOn(plan, queue, queue.first, { work, budget })) return;
    callLines(plan, work);
  }
}

/** A limit has units, or another line is its first: that one may go on. */
function callLines(plan: Plan, { changedLimits }: TenantWork): void {
  for (const limit of changedLimits) {
    callFirst(plan, limit);
    plan.state.undo.delete(changedLimits, limit);
  }
}

/** Over the worker's queues, one task from each in turn, until none has a task for it. @returns whether that came about */
function pullFor(
  plan: Plan,
  work: TenantWork,
  { worker, budget }: { worker: PlannerWorker; budget: SettleBudget },
): boolean {
  const queues = plan.state.queuesOf(worker);
  const passed = new Set<Placement>();
  for (let idle = 0; idle < queues.length;) {
    assignOpen(plan, work, budget);
    if (budget.assignments <= 0) return false;
    const queue = queues[worker.turn % queues.length];
    worker.turn++;
    if (queue === undefined) idle++;
    else if (flush(plan, queue, { passed, worker, budget })) idle = 0;
    else if (goOn(plan, queue, queue.firstFor(worker), { work, budget, taker: onlyTaker(work, worker) })) idle = 0;
    else idle++;
  }
  return true;
}

/** Of a line that waits, only workers that gained room can take anything: where that is one, nobody else need be asked. */
function onlyTaker({ workersWithRoom }: TenantWork, worker: PlannerWorker): PlannerWorker | undefined {
  return workersWithRoom.size === 1 ? worker : undefined;
}

/**
 * Assigns the line's next task to the worker that suits it best, or sets the line apart until something comes that it
 * waits for.
 * @returns whether there was a line
 */
function goOn(
  plan: Plan,
  queue: ActionQueue,
  line: Line | undefined,
  { work, budget, taker }: { work: TenantWork; budget: SettleBudget; taker?: PlannerWorker | undefined },
): boolean {
  if (line === undefined) return false;
  const { undo } = plan.state;
  const { constraint } = line;
  budget.assignments -= lookCost;
  const at = taker === undefined ? pickWorker(queue.workers, queue.turn, constraint.placement) : undefined;
  const worker = taker ?? (at === undefined ? undefined : queue.workers[at]);
  if (worker === undefined) {
    queue.awaitWorker(line, undo);
    return true;
  }
  // A worker that gained room may have better to do than a task that has just come.
  const better = work.workersWithRoom.has(worker) ? queue.firstFor(worker) : undefined;
  if (better !== undefined && better !== line && isBefore(better, line)) {
    queue.reopen(better, undo);
    return true;
  }
  const row = line.next;
  if (row === undefined) return false;
  const missing = missingUnits(plan, row, { tenantId: queue.tenantId, demands: constraint.rateLimits, line });
  if (missing !== undefined) {
    stopLine(plan, line, row, missing);
    return true;
  }
  budget.assignments -= 1 - lookCost;
  if (at !== undefined) queue.turn = at + 1;
  queue.passTurn(line);
  assign(plan, row, { line, worker });
  return true;
}

function isBefore(a: Line, b: Line): boolean {
  const [first, second] = [a.standing(), b.standing()];
  return first !== undefined && second !== undefined && isAhead(first, second);
}

/** Starts the next batch of the queue that may go. */
function flush(
  plan: Plan,
  queue: ActionQueue,
  {
    passed,
    worker: withRoom,
    budget,
  }: { passed: Set<Placement>; worker: PlannerWorker | undefined; budget: SettleBudget },
): boolean {
  if (queue.gathering === 0) return false;
  const flushed = flushNext(plan, queue, {
    passed,
    worker: withRoom,
    budget,
    start: (row, worker) => start(plan, row, worker),
  });
  if (flushed === undefined) return budget.assignments <= 0;
  const { batch, rows, reason, worker } = flushed;
  plan.changes.effects.push({
    kind: 'dispatchBatch',
    batchId: batch.id,
    key: batch.group.key,
    reason,
    atUs: plan.nowUs,
    members: rows.map((row) => assignment(plan, row, worker)),
  });
  return true;
}

function assign(plan: Plan, row: TaskRow, { line, worker }: { line: Line; worker: PlannerWorker }): void {
  const { state, changes } = plan;
  const step = state.stepOf(row);
  spendUnits(plan, line.constraint.rateLimits, step.version.tenantId);
  state.lists.leave(row, state.undo);
  worker.occupy(step.slots, state.undo);
  start(plan, row, worker);
  changes.effects.push({ kind: 'dispatch', ...assignment(plan, row, worker) });
}

/** The attempt is the worker's from here on. */
function start(plan: Plan, row: TaskRow, worker: PlannerWorker): void {
  const { state, nowUs } = plan;
  const { undo } = state;
  const { definition, version } = state.stepOf(row);
  moveTo(plan, row, LiveState.Running);
  state.tasks.write('worker', row, worker.index, undo);
  worker.hold(row, undo);
  state.deadlines.set(row, nowUs + definition.executionTimeoutMs * 1000, undo);
  journal(plan, row, 'ASSIGNED');
  noteWait(plan, row);
  if (definition.durable) beginInvocation(plan, row);
  if (version.definition.sticky !== null) stick(plan, row, worker);
}

/** On the row of the journal that says ASSIGNED: memory has another number once the task is queued again. */
function noteWait({ state, nowUs, changes }: Plan, row: TaskRow): void {
  const said = changes.history.at(-1);
  if (said === undefined) return;
  said.waitedUs = Math.max(0, nowUs - state.timeOf(state.tasks.seq[row] ?? nowUs, nowUs));
  if (((state.tasks.flags[row] ?? 0) & LiveFlag.Restored) !== 0) said.isRestored = true;
}
