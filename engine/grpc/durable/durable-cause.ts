import type { Pool } from 'pg';
import { describeAsked, firstBranch, signalBranch, type BranchPoint } from '../../model/durable/durable.ts';
import { readBranchPoints, readOpenNodes, type OpenNode } from '../../monitor/durable/durable-log-reads.ts';
import { branchOfNode } from '../../plan/durable/durable-log.ts';
import type { Cause } from '../../figures/why.ts';

/** Nodes that a sentence names. */
const named = 5;

/**
 * Of durable tasks that sleep or run, what their logs say they wait for. The planner remembers of a task that sleeps
 * only when its first sleep ends, so the log is read.
 */
export async function durableCauses(pool: Pool, causes: ReadonlyMap<string, Cause>): Promise<Map<string, Cause>> {
  const asking = [...causes]
    .filter(([, { code }]) => code === 'EVICTED' || code === 'RUNNING')
    .map(([taskId]) => taskId);
  if (asking.length === 0) return new Map(causes);
  const [open, points] = await Promise.all([readOpenNodes(pool, asking), readBranchPoints(pool, asking)]);
  return new Map(
    [...causes].map(([taskId, cause]) => {
      if (!asking.includes(taskId)) return [taskId, cause];
      return [
        taskId,
        causeOf(
          cause,
          visible(
            open.filter((node) => node.taskId === taskId),
            points.filter((point) => point.taskId === taskId),
          ),
        ),
      ];
    }),
  );
}

/** Those in the history of the branch that the task is on. */
function visible(open: readonly OpenNode[], points: readonly BranchPoint[]): OpenNode[] {
  const current = points.at(-1)?.branch ?? firstBranch;
  return open.filter(({ branch, node }) => branch === signalBranch || branchOfNode(points, current, node) === branch);
}

function causeOf(cause: Cause, open: readonly OpenNode[]): Cause {
  if (open.length === 0) return cause;
  const texts = open.slice(0, named).map(({ node, asked }) => `${describeAsked(asked)} (node ${node})`);
  if (open.length > named) texts.push(`${open.length - named} more`);
  const waits = texts.join('; or ');
  if (cause.code === 'RUNNING') return { ...cause, text: `${cause.text}; open in its log: ${texts.join('; ')}` };
  const children = open.flatMap(({ childRunId }) => (childRunId === null ? [] : [childRunId]));
  return { ...cause, text: `sleeps off its worker while it waits for ${waits}`, ids: children.slice(0, 10) };
}
