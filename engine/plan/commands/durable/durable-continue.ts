import { wholeNode, type BranchPoint } from '../../../model/durable/durable.ts';
import type { DurableSender } from '../../../model/durable/durable-operation.ts';
import { RunStatus } from '../../../model/task/status.ts';
import { invocationRow } from '../../durable/stale-invocation.ts';
import { leaveForBranch, nextBranch } from '../../durable/leave-branch.ts';
import { makesNoRows, startsNoRuns, type Kind } from '../command-kind.ts';

/** An invocation starts its task again with another input and an empty log. */
export interface DurableContinueCommand extends DurableSender {
  kind: 'durableContinue';
  /** JSON. */
  input: string;
}

export const durableContinue: Kind<DurableContinueCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: ({ taskId }) => ({ logsOf: [taskId] }),
  startsRuns: startsNoRuns,
  payloads: ({ input }, visit) => visit(input),
  weight: () => 5,
  split: undefined,
  plan(plan, command) {
    const row = invocationRow(plan, command);
    if (row === undefined) return; // it has continued already, or is over: either way its sender leaves
    const { state, changes } = plan;
    const points = state.durable.branches.get(row) ?? [];
    const point: BranchPoint = {
      branch: nextBranch(points),
      parent: state.durable.branchOf(row),
      first: 1,
      hasInput: true,
    };
    // Its worker knows that the attempt goes on, and reports no end of it.
    leaveForBranch(plan, row, point, { points, nodes: [], isReportDue: false });
    changes.durableResults.push({
      taskId: command.taskId,
      branch: point.branch,
      node: 0,
      condition: wholeNode,
      seq: state.nextSeq(plan.nowUs),
      status: RunStatus.Completed,
      payload: command.input,
      generation: null,
    });
  },
};
