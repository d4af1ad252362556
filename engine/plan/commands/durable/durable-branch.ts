import { HatchetError } from '../../../base/errors.ts';
import type { BranchPoint } from '../../../model/durable/durable.ts';
import { leaveForBranch, nextBranch } from '../../durable/leave-branch.ts';
import { replayRuns } from '../../lifecycle/replay-run.ts';
import type { Plan } from '../../state/plan.ts';
import type { Facts, StoredBranches } from '../loaded-facts.ts';
import { hasNoPayloads, startsNoRuns, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

/** Starts a task again from a node of its log, on a branch of its own. One that has ended runs again. */
export interface DurableBranchCommand {
  kind: 'durableBranch';
  tenantId: TenantId;
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
    again: state.tasks.find(taskId) === undefined ? [taskId] : [],
  }),
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: () => 10,
  split: undefined,
  plan: startBranch,
};

const unbranched: StoredBranches = { points: [], nodes: [], made: null };

/**
 * Starts a task again from a node of its log: what lies before the node is the new branch's history, the old branch stays
 * as it is. A task that runs is taken from its worker; one that has ended runs again.
 */
function startBranch(plan: Plan, command: DurableBranchCommand, facts: Facts): DurableBranchReply {
  const { state } = plan;
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
  const point: BranchPoint = { branch: nextBranch(points), parent, first: node, hasInput: false };
  let row = state.tasks.find(taskId);
  if (row !== undefined && state.isEnded(row))
    throw new HatchetError(
      'RUN_BUSY',
      `task ${taskId} cannot run again now: it has ended, and its worker has not let go of it yet`,
      { remedy: 'Try again in a moment.' },
    );
  if (row === undefined) {
    replayRuns(plan, { tenantId, ids: [taskId] }, facts.storedRuns);
    row = state.tasks.find(taskId);
    if (row === undefined)
      throw new HatchetError(
        'RUN_BUSY',
        `task ${taskId} cannot run again now: another task of its run is not finished`,
        { remedy: 'Wait for the run to end, or cancel it.' },
      );
  }
  leaveForBranch(plan, row, point, { points, nodes: nodes.slice(0, node - 1), isReportDue: true });
  return { branch: point.branch, node };
}

/** Tenants may share a shard. */
function checkOwn({ state }: Plan, { tenantId, taskId }: DurableBranchCommand, { storedRuns }: Facts): void {
  const row = state.tasks.find(taskId);
  const version =
    row !== undefined
      ? state.stepOf(row).version
      : state.versions.get(storedRuns.find((run) => run.tasks.some((task) => task.id === taskId))?.versionId ?? '');
  if (version?.tenantId !== tenantId)
    throw new HatchetError('UNKNOWN_RUN', `there is no task run ${taskId}`, {
      remedy: 'Check the id; `hatchet runs list` shows the newest runs.',
    });
}
