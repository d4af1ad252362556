import type { DurableLogRow, NodeRow } from '../monitor/durable-log-row.ts';
import { plainText } from '../output/plain-text.ts';
import { fit } from '../output/table.ts';
import { currentBranch, logTree, openNodes } from './log-tree.ts';
import { branchTitle, nodeResult, nodeTitle, nodeWait } from './node-text.ts';

const resultWidth = 120;

/** A log for people: a line a node, with its result beneath it, and what the task waits for now. */
export function logText(
  log: DurableLogRow,
  { isEnded, nowMs = Date.now() }: { isEnded: boolean; nowMs?: number },
): string {
  if (log.nodes.length === 0) return `log of ${log.task}: it has asked for nothing yet`;
  const head = `log of ${log.task}${log.branches.length === 0 ? '' : `, on branch ${currentBranch(log)}`}`;
  const lines = logTree(log).flatMap((line) => {
    if (line.kind === 'branch')
      return [`${line.rails} ${branchTitle(line.branch)}${line.isCurrent ? ' (the present one)' : ''}`];
    const { node } = line;
    return [
      `${line.rails} ${plainText(nodeTitle(node))}  ${facts(node, line.isCurrent && !isEnded, nowMs)}`,
      ...beneath(node).map((text) => `${line.below}    ${fit(plainText(text), resultWidth)}`),
    ];
  });
  const open = isEnded ? [] : openNodes(log);
  const waits = open.map((node) => `${node.asked} (node ${node.node})`).join('; ');
  return [head, ...lines, ...(open.length === 0 ? [] : [`open now: ${plainText(waits)}`])].join('\n');
}

function facts(node: NodeRow, isLive: boolean, nowMs: number): string {
  const wait = node.satisfiedAt === null && !isLive ? 'left open' : nodeWait(node, nowMs);
  const runId = node.child?.runId ?? null;
  return `${wait}${node.invocation === null ? '' : `, invocation ${node.invocation}`}${runId === null ? '' : `, run ${runId}`}`;
}

function beneath(node: NodeRow): string[] {
  const result = nodeResult(node);
  return result === '' ? [] : [result];
}
