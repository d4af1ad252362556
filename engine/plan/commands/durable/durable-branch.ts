import { HatchetError } from '../../../base/errors.ts';
import { EntryKind, type BranchPoint } from '../../../model/durable/durable.ts';
import { LiveState } from '../../../model/task/live-state.ts';
import { Delivery } from '../../durable/delivery.ts';
import { DurableLog, type DurableNode } from '../../durable/durable-log.ts';
import { dismiss, evict, restore } from '../../durable/durable-restore.ts';
import { reopenRuns } from '../../lifecycle/reopen-run.ts';
import { noteProgress } from '../../lifecycle/worker-deaths.ts';
import type { Plan } from '../../state/plan.ts';
import type { Facts, StoredBranches } from '../facts.ts';
import { hasNoPayloads, startsNoRuns, type Kind } from '../kind.ts';

/** Starts a task again from a node of its log, on a branch of its own. One that has ended runs again. */
export interface DurableBranchCommand {
  kind: 'durableBranch';
  tenantId: string;
  taskId: string;
  /** The one that the node is looked for on; 0 for the current one. */
  branch: number;
  node: number;
}
export interface DurableBranchReply {
  branch: number;
  node: number;
}

export const durableBranch: Kind<DurableBranchCommand, DurableBranchReply> = {
  makesRowsOf: ({ tenantId }) => tenantId,
  needs: ({ taskId, branch }, { state }) => ({
    logsOf: [taskId],
    branch: { taskId, branch },
    again: state.tasks.find(taskId) < 0 ? [taskId] : [],
  }),
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: () => 10,
  plan: startBranch,
};

const unbranched: StoredBranches = { points: [], nodes: [], made: null };

/**
 * Starts a task again from a node of its log: what lies before the node is the new branch's history, the old branch stays
 * as it is. A task that runs is taken from its worker; one that has ended runs again.
 */
function startBranch(plan: Plan, command: DurableBranchCommand, facts: Facts): DurableBranchReply {
  const { state, changes } = plan;
  checkOwn(plan, command, facts);
  const { points, nodes, made } = facts.branches ?? unbranched;
  if (made !== null) return { branch: made.branch, node: made.first };
  const { tenantId, taskId, node } = command;
  const parent = command.branch === 0 ? (points.at(-1)?.branch ?? 1) : command.branch;
  if (node < 1 || node > nodes.length) {
    throw new HatchetError('INVALID_ARGUMENT', `branch ${parent} of task ${taskId} has no node ${node}`, {
      remedy: nodes.length === 0 ? 'The task has no log to branch from; replay it.' : `Choose 1 to ${nodes.length}.`,
    });
  }
  const point: BranchPoint = { branch: Math.max(1, ...points.map((each) => each.branch)) + 1, parent, first: node };
  let row = state.tasks.find(taskId);
  if (row >= 0 && state.isEnded(row))
    throw new HatchetError(
      'RUN_BUSY',
      `task ${taskId} cannot run again now: it has ended, and its worker has not let go of it yet`,
      { remedy: 'Try again in a moment.' },
    );
  if (row < 0) {
    reopenRuns(plan, { tenantId, ids: [taskId] }, facts.storedRuns);
    row = state.tasks.find(taskId);
    if (row < 0)
      throw new HatchetError(
        'RUN_BUSY',
        `task ${taskId} cannot run again now: another task of its run is not finished`,
        { remedy: 'Wait for the run to end, or cancel it.' },
      );
  }
  const before = state.durable.branches.get(row) ?? points;
  state.undo.put(state.durable.branches, row, [...before, point]);
  changes.durableEntries.push({
    taskId,
    branch: point.branch,
    node: 0,
    kind: EntryKind.Branch,
    fingerprint: '',
    asked: JSON.stringify({ kind: 'branch', parent, first: node }),
    invocation: state.tasks.invocation[row] ?? 0,
    seq: state.nextSeq(plan.nowUs),
    childRunId: null,
  });
  noteProgress(plan, row);
  leaveOldBranch(plan, row, point, nodes);
  return { branch: point.branch, node };
}

/** Tenants may share a shard. */
function checkOwn({ state }: Plan, { tenantId, taskId }: DurableBranchCommand, { storedRuns }: Facts): void {
  const row = state.tasks.find(taskId);
  const version =
    row >= 0
      ? state.stepOf(row).version
      : state.versions.get(storedRuns.find((run) => run.tasks.some((task) => task.id === taskId))?.versionId ?? '');
  if (version?.tenantId !== tenantId)
    throw new HatchetError('UNKNOWN_RUN', `there is no task run ${taskId}`, {
      remedy: 'Check the id; `hatchet runs list` shows the newest runs.',
    });
}

/** What it waited for on the old branch alone wakes it no more; what lies before the node is waited for all the while. */
function leaveOldBranch(plan: Plan, row: number, point: BranchPoint, parentNodes: readonly DurableNode[]): void {
  const { state } = plan;
  const { durable } = state;
  const reason = `branched from node ${point.first} of branch ${point.parent}`;
  const isRunning = state.tasks.state[row] === LiveState.Running;
  if (isRunning) dismiss(plan, row, reason);
  const old = durable.task(row)?.log;
  const { tenantId } = state.stepOf(row).version;
  // Nodes that the old branch has too may have changed in this transaction.
  const nodes = parentNodes.slice(0, point.first - 1).map((node) => old?.find(node.branch, node.node) ?? node);
  const log = new DurableLog({
    taskId: state.tasks.id(row),
    branch: point.branch,
    nodes,
    isProvisional: true,
  });
  for (const [key, node] of old?.signals ?? []) log.signals.set(key, node);
  const task = { row, tenantId, log, delivery: new Delivery({ position: 0 }) };
  durable.exchange(row, task, state.undo);
  durable.loaded.add(row);
  if (isRunning) {
    evict(plan, task, reason);
    // A report names its attempt, not its invocation: one of the old branch that is on its way ends nothing any more.
    state.tasks.write('attempt', row, (state.tasks.attempt[row] ?? 0) + 1, state.undo);
  }
  if (state.tasks.state[row] === LiveState.Evicted) restore(plan, row);
}
