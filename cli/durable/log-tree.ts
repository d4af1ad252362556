import type { BranchRow, DurableLogRow, NodeRow } from '../monitor/durable-log.ts';

/** A line of a log's tree, top down: a node, or the head of a branch where it leaves another. */
export type TreeLine = { kind: 'node'; rails: string; below: string; node: NodeRow; isCurrent: boolean } | { kind: 'branch'; rails: string; below: string; branch: BranchRow; isCurrent: boolean };

const firstBranch = 1;
/** Waits of older SDKs, which have a key instead of a place. */
const signalBranch = 0;

/**
 * A log as a tree. A branch stands where it leaves its parent, before the parent's own node of that number, one step
 * further in; the newest is the one that the task is on. `rails` are the lines left of the text, `below` those of a line
 * that belongs to it.
 */
export function logTree(log: DurableLogRow): readonly TreeLine[] {
  const current = currentBranch(log);
  const shared = historyOf(log, current);
  const lines: TreeLine[] = [];
  const draw = (branch: number, rails: string): void => {
    const items = itemsOf(log, branch);
    for (const [index, item] of items.entries()) {
      const isLast = index === items.length - 1;
      const own = `${rails}${isLast ? '└─' : '├─'}`;
      const inner = `${rails}${isLast ? '  ' : '│ '}`;
      if (item.kind === 'node') {
        lines.push({ kind: 'node', rails: own, below: inner, node: item.node, isCurrent: item.node.branch === signalBranch || shared.get(item.node.node) === item.node.branch });
        continue;
      }
      lines.push({ kind: 'branch', rails: own, below: inner, branch: item.branch, isCurrent: item.branch.branch === current });
      draw(item.branch.branch, inner);
    }
  };
  draw(signalBranch, '');
  draw(firstBranch, '');
  return lines;
}

/** The branch that the task is on. */
export function currentBranch(log: Pick<DurableLogRow, 'branches'>): number {
  return log.branches.at(-1)?.branch ?? firstBranch;
}

/** What the task is waiting for: open nodes in the history of its present branch, memos left out. */
export function openNodes(log: DurableLogRow): readonly NodeRow[] {
  const shared = historyOf(log, currentBranch(log));
  return log.nodes.filter((node) => node.satisfiedAt === null && node.kind !== 'MEMO' && (node.branch === signalBranch || shared.get(node.node) === node.branch));
}

/** An open node that has a sleep in it. */
export function isOpenSleep(node: NodeRow): boolean {
  return node.satisfiedAt === null && node.conditions.some((condition) => condition.sleep !== null && !condition.met);
}

type Item = { kind: 'node'; node: NodeRow } | { kind: 'branch'; branch: BranchRow };

function itemsOf(log: DurableLogRow, branch: number): Item[] {
  const nodes = log.nodes.filter((node) => node.branch === branch);
  const leaving = branch === signalBranch ? [] : log.branches.filter((each) => each.parent === branch);
  // A branch's own nodes end where its parent's history ends: one that leaves at an older node stands before them all.
  const items: (Item & { at: number })[] = [...leaving.map((each) => ({ kind: 'branch' as const, branch: each, at: each.firstNode - 0.5 })), ...nodes.map((node) => ({ kind: 'node' as const, node, at: node.node }))];
  return items.sort((a, b) => a.at - b.at);
}

/** By node number, the branch on which the history of a branch has that node. */
function historyOf(log: DurableLogRow, branch: number): ReadonlyMap<number, number> {
  const history = new Map<number, number>();
  let before = Number.POSITIVE_INFINITY;
  for (let at = branch; ; ) {
    const point = log.branches.find((each) => each.branch === at);
    const first = point?.firstNode ?? 1;
    for (const node of log.nodes) if (node.branch === at && node.node < before && node.node >= first) history.set(node.node, at);
    if (point === undefined) return history;
    before = Math.min(before, first);
    at = point.parent;
  }
}
