import { restore } from './restore-task.ts';
import { EntryKind, isSatisfied, waitPayload, wholeNode } from '../../model/durable/durable.ts';
import { LiveState } from '../../model/task/live-state.ts';
import { RunStatus, type TerminalStatus } from '../../model/task/status.ts';
import { firstSleepUs } from './durable-sleep.ts';
import type { ChildLink, DurableIndex, DurableTask } from './durable-index.ts';
import { branchOfNode, conditionsOf, type DurableNode } from './durable-log.ts';
import { tell } from './tell-results-in-order.ts';
import { touch, type Plan } from '../state/plan.ts';
import type { Restore } from '../state/undo-log.ts';
import { noteLogGrowth } from '../lifecycle/worker-deaths.ts';
import type { TaskRow } from '../state/table/rows.ts';

/** How a node was satisfied. A child's output is not copied: it stays with the child, in the generation given. */
export interface Satisfaction {
  status: TerminalStatus;
  /** JSON; what is stored with the node. */
  payload: string | null;
  generation: number | null;
  /** What the invocation is told; null where it must be read first. */
  told: { output: string | null; error: string | null } | null;
}

/** A node has its one result: the task learns of it in its turn, or is woken. */
export function satisfy(plan: Plan, task: DurableTask, node: DurableNode, how: Satisfaction): void {
  const { state, changes } = plan;
  const { durable, undo } = state;
  const { row, log } = task;
  const seq = state.nextSeq(plan.nowUs);
  // First, so that an undo watches a node that is open again.
  undo.keep(ignored, durable, task, node);
  durable.ignore(task, node);
  noteLogGrowth(plan, row);
  undo.set(node, 'result', { seq, status: how.status });
  undo.set(node, 'need', log.nodes.length);
  if (node.kind !== EntryKind.Signal) undo.push(log.satisfied, node);
  const { taskId } = log;
  changes.durableResults.push({
    taskId,
    branch: node.branch,
    node: node.node,
    condition: wholeNode,
    seq,
    status: how.status,
    payload: how.payload,
    generation: how.generation,
  });
  if (conditionsOf(node).some((condition) => condition.kind === 'event'))
    changes.durableListenDeletes.push({ taskId, branch: node.branch, node: node.node });
  if (node.asked.kind === 'signal')
    changes.effects.push({
      kind: 'durableSignal',
      taskId: log.taskId,
      key: node.asked.key,
      payload: how.payload ?? '{}',
    });
  else if (state.tasks.state[row] === LiveState.Running) tell(plan, task, { node, told: how.told });
  else if (state.tasks.state[row] === LiveState.Evicted) restore(plan, row);
}

const ignored: Restore<DurableIndex, DurableTask, DurableNode> = {
  restore: (durable, task, node) => durable.watch(task, node),
};

/** One condition of a wait is met; with the last that was missing, the wait is satisfied. */
export function meetCondition(
  plan: Plan,
  task: DurableTask,
  met: { node: DurableNode; index: number; data: string },
): void {
  const { state } = plan;
  const { row, log } = task;
  const { node, index, data } = met;
  // A task that has ended in this very transaction, whose log is in memory until it is stored, waits for nothing any more.
  if (state.tasks.alive[row] !== 1 || state.isEnded(row)) return;
  if (node.result !== null || (node.met[index] ?? null) !== null) return;
  // Its entry in the heap is not believed any more; a transaction that is taken back must find one again.
  state.undo.keep(sleepMet, state.durable, { task, node, index });
  state.undo.set(node.met, index, data);
  const conditions = conditionsOf(node);
  if (isSatisfied(conditions, node.met)) {
    const payload = waitPayload(conditions, node.met);
    return satisfy(plan, task, node, {
      status: RunStatus.Completed,
      payload,
      generation: null,
      told: { output: payload, error: null },
    });
  }
  noteLogGrowth(plan, row);
  plan.changes.durableResults.push({
    taskId: log.taskId,
    branch: node.branch,
    node: node.node,
    condition: index,
    seq: state.nextSeq(plan.nowUs),
    status: RunStatus.Completed,
    payload: data,
    generation: null,
  });
  if (state.tasks.state[row] === LiveState.Evicted) {
    state.deadlines.set(row, firstSleepUs(log), state.undo);
    touch(plan, row);
  }
}

const sleepMet: Restore<DurableIndex, { task: DurableTask; node: DurableNode; index: number }> = {
  restore: (durable, { task, node, index }) => durable.watchSleep(task, node, index),
};

export interface RunEnd {
  runId: string;
  status: TerminalStatus;
  generation: number;
  /** Of a run of one task. */
  single: { output: string | null; error: string | null } | null;
}

/** A run has ended: where it is the child of a durable task, the node that spawned it is satisfied. */
export function meetChild(plan: Plan, end: RunEnd): void {
  const { state } = plan;
  const link = state.durable.children.get(end.runId);
  if (link === undefined) return;
  unlinkChild(plan, end.runId);
  const row = state.tasks.find(link.parentTaskId);
  const task = row === undefined ? undefined : state.durable.task(row);
  const node = task?.log.find(link.branch, link.node);
  if (task !== undefined && node !== undefined && node.result === null) {
    return satisfy(plan, task, node, {
      status: end.status,
      payload: null,
      generation: end.generation,
      told: end.single,
    });
  }
  // The log is in Postgres alone: the parent sleeps, waits for its next start, or has ended and may be replayed.
  plan.changes.durableResults.push({
    taskId: link.parentTaskId,
    branch: link.branch,
    node: link.node,
    condition: wholeNode,
    seq: state.nextSeq(plan.nowUs),
    status: end.status,
    payload: null,
    generation: end.generation,
  });
  if (row !== undefined) noteLogGrowth(plan, row);
  if (
    row !== undefined &&
    task === undefined &&
    state.tasks.state[row] === LiveState.Evicted &&
    isVisible(plan, row, link)
  )
    restore(plan, row);
}

/** The current branch's history holds the node. */
function isVisible({ state }: Plan, row: TaskRow, link: ChildLink): boolean {
  return branchOfNode(state.durable.branches.get(row) ?? [], state.durable.branchOf(row), link.node) === link.branch;
}

export function linkChild(plan: Plan, runId: string, link: ChildLink): void {
  plan.state.undo.put(plan.state.durable.children, runId, link);
}

export function unlinkChild(plan: Plan, runId: string): void {
  plan.state.undo.remove(plan.state.durable.children, runId);
}
