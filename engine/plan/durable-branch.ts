import { HatchetError } from '../errors.ts';
import { EntryKind, type BranchPoint } from '../model/durable.ts';
import { LiveState } from '../model/live-state.ts';
import type { DurableBranchCommand, DurableBranchReply } from './durable-command.ts';
import { dismiss, evict, restore } from './durable-restore.ts';
import { DurableLog } from './durable-log.ts';
import type { Plan } from './plan.ts';
import { planReplay } from './replay.ts';

/**
 * Starts a task again from a node of its log: what lies before the node is the new branch's history, the old branch stays
 * as it is. A task that runs is taken from its worker; one that has ended runs again.
 */
export function planDurableBranch(plan: Plan, command: DurableBranchCommand): DurableBranchReply {
  const { state, changes } = plan;
  if (command.made !== null) return { branch: command.made.branch, node: command.made.first };
  const { tenantId, taskId, node, points } = command;
  const parent = command.branch === 0 ? (points.at(-1)?.branch ?? 1) : command.branch;
  if (node < 1 || node > command.nodes) {
    throw new HatchetError('INVALID_ARGUMENT', `branch ${parent} of task ${taskId} has no node ${node}`, { remedy: command.nodes === 0 ? 'The task has no log to branch from; replay it.' : `Choose 1 to ${command.nodes}.` });
  }
  const point: BranchPoint = { branch: Math.max(1, ...points.map((each) => each.branch)) + 1, parent, first: node };
  let row = state.tasks.find(taskId);
  if (row < 0) {
    planReplay(plan, { kind: 'replay', tenantId, ids: [taskId], loaded: command.loaded, deferred: [], seen: new Map() });
    row = state.tasks.find(taskId);
    if (row < 0) throw new HatchetError('RUN_BUSY', `task ${taskId} cannot run again now: another task of its run is not finished`, { remedy: 'Wait for the run to end, or cancel it.' });
  }
  const before = state.durable.branches.get(row) ?? points;
  state.durable.branches.set(row, [...before, point]);
  state.undo.record(() => state.durable.branches.set(row, before));
  changes.durableEntries.push({ taskId, branch: point.branch, node: 0, kind: EntryKind.Branch, fingerprint: '', asked: JSON.stringify({ kind: 'branch', parent, first: node }), invocation: state.tasks.invocation[row] ?? 0, seq: state.nextSeq(plan.nowUs), childRunId: null });
  leaveOldBranch(plan, row, taskId, point);
  return { branch: point.branch, node };
}

function leaveOldBranch(plan: Plan, row: number, taskId: string, point: BranchPoint): void {
  const { state } = plan;
  const reason = `branched from node ${point.first} of branch ${point.parent}`;
  // What it waited for on the old branch wakes it no more; the next start reads the new branch's log.
  if (state.tasks.state[row] === LiveState.Running) {
    dismiss(plan, row, reason);
    const old = state.durable.log(row);
    const { tenantId } = state.stepOf(row).version;
    state.durable.drop(row);
    if (old !== undefined) state.undo.record(() => state.durable.hold(row, tenantId, old));
    evict(plan, row, new DurableLog({ taskId, branch: point.branch, nodes: [], position: 0 }), reason);
    restore(plan, row);
  } else if (state.tasks.state[row] === LiveState.Evicted) restore(plan, row);
}
