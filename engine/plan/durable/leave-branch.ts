import { restore } from './restore-task.ts';
import { dismiss } from './dismiss-invocation.ts';
import { EntryKind, firstBranch, type Asked, type BranchPoint } from '../../model/durable/durable.ts';
import { LiveState } from '../../model/task/live-state.ts';
import { noteLogGrowth } from '../lifecycle/worker-deaths.ts';
import type { Plan } from '../state/plan.ts';
import { InvocationProgress } from './invocation-progress.ts';
import { DurableLog, type DurableNode } from './durable-log.ts';
import { evict } from './evict-task.ts';
import type { TaskRow } from '../state/table/rows.ts';

/** The number of a branch that is yet to be made. */
export function nextBranch(points: readonly BranchPoint[]): number {
  return Math.max(firstBranch, ...points.map(({ branch }) => branch)) + 1;
}

/**
 * A task goes on along a new branch; the old one stays as it is. A task that runs is taken from its worker.
 * @param from points: as they are stored, for a task whose points are not in memory. nodes: what lies before the branch, its
 * history. isReportDue: the old invocation may still report how its attempt ended
 */
export function leaveForBranch(
  plan: Plan,
  row: TaskRow,
  point: BranchPoint,
  from: { points: readonly BranchPoint[]; nodes: readonly DurableNode[]; isReportDue: boolean },
): void {
  const { state, changes } = plan;
  const before = state.durable.branches.get(row) ?? from.points;
  state.undo.put(state.durable.branches, row, [...before, point]);
  const { parent, first, hasInput } = point;
  const asked: Asked = { kind: 'branch', parent, first, ...(hasInput ? { hasInput } : {}) };
  changes.durableEntries.push({
    taskId: state.tasks.id(row),
    branch: point.branch,
    node: 0,
    kind: EntryKind.Branch,
    fingerprint: '',
    asked: JSON.stringify(asked),
    invocation: state.tasks.invocation[row] ?? 0,
    seq: state.nextSeq(plan.nowUs),
    childRunId: null,
  });
  noteLogGrowth(plan, row);
  leave(plan, row, point, from);
}

/** What it waited for on the old branch alone wakes it no more; what lies before the node is waited for all the while. */
function leave(
  plan: Plan,
  row: TaskRow,
  point: BranchPoint,
  from: { nodes: readonly DurableNode[]; isReportDue: boolean },
): void {
  const { state } = plan;
  const { durable } = state;
  const reason = point.hasInput
    ? `continued as new after branch ${point.parent}`
    : `branched from node ${point.first} of branch ${point.parent}`;
  const isRunning = state.tasks.state[row] === LiveState.Running;
  if (isRunning) dismiss(plan, row, reason);
  const old = durable.task(row)?.log;
  const { tenantId } = state.stepOf(row).version;
  // Nodes that the old branch has too may have changed in this transaction.
  const nodes = from.nodes.map((node) => old?.find(node.branch, node.node) ?? node);
  const log = new DurableLog({
    taskId: state.tasks.id(row),
    branch: point.branch,
    nodes,
    isProvisional: true,
  });
  for (const [key, node] of old?.signals ?? []) log.signals.set(key, node);
  const task = { row, tenantId, log, delivery: new InvocationProgress({ position: 0 }) };
  durable.exchange(row, task, state.undo);
  durable.loaded.add(row);
  if (isRunning) {
    evict(plan, task, reason);
    // A report names its attempt, not its invocation: one of the old branch that is on its way ends nothing any more.
    if (from.isReportDue) state.tasks.write('attempt', row, (state.tasks.attempt[row] ?? 0) + 1, state.undo);
  }
  if (state.tasks.state[row] === LiveState.Evicted) restore(plan, row);
}
