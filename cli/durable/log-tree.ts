import type { BranchRow, DurableLogRow, NodeRow } from '../monitor/durable-log-row.ts';

/** A line of a log's tree, top down: a node, or the head of a branch where it leaves another. */
export type TreeLine =
  | { kind: 'node'; rails: string; below: string; node: NodeRow; isCurrent: boolean }
  | { kind: 'branch'; rails: string; below: string; branch: BranchRow; isCurrent: boolean };

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
  const nodes = nodesByBranch(log);
  const leaving = new Map<number, BranchRow[]>();
  for (const branch of log.branches) append(leaving, branch.parent, branch);
  const draw = (branch: number, rails: string): void => {
    const items = itemsOf(nodes.get(branch) ?? [], branch === signalBranch ? [] : (leaving.get(branch) ?? []));
    for (const [index, item] of items.entries()) {
      const isLast = index === items.length - 1;
      const own = `${rails}${isLast ? '└─' : '├─'}`;
      const inner = `${rails}${isLast ? '  ' : '│ '}`;
      if (item.kind === 'node') {
        lines.push({
          kind: 'node',
          rails: own,
          below: inner,
          node: item.node,
          isCurrent: item.node.branch === signalBranch || shared.get(item.node.node) === item.node.branch,
        });
        continue;
      }
      lines.push({
        kind: 'branch',
        rails: own,
        below: inner,
        branch: item.branch,
        isCurrent: item.branch.branch === current,
      });
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
  return log.nodes.filter(
    (node) =>
      node.satisfiedAt === null &&
      node.kind !== 'MEMO' &&
      (node.branch === signalBranch || shared.get(node.node) === node.branch),
  );
}

/** An open node that has a sleep in it. */
export function isOpenSleep(node: NodeRow): boolean {
  return node.satisfiedAt === null && node.conditions.some((condition) => condition.sleep !== null && !condition.met);
}

type Item = { kind: 'node'; node: NodeRow } | { kind: 'branch'; branch: BranchRow };

function append<T>(lists: Map<number, T[]>, key: number, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}

function nodesByBranch(log: Pick<DurableLogRow, 'nodes'>): ReadonlyMap<number, readonly NodeRow[]> {
  const nodes = new Map<number, NodeRow[]>();
  for (const node of log.nodes) append(nodes, node.branch, node);
  return nodes;
}

function itemsOf(nodes: readonly NodeRow[], leaving: readonly BranchRow[]): Item[] {
  // A branch's own nodes end where its parent's history ends: one that leaves at an older node stands before them all.
  const items: (Item & { at: number })[] = [
    ...leaving.map((each) => ({ kind: 'branch' as const, branch: each, at: each.firstNode - 0.5 })),
    ...nodes.map((node) => ({ kind: 'node' as const, node, at: node.node })),
  ];
  return items.sort((a, b) => a.at - b.at);
}

/** By node number, the branch on which the history of a branch has that node. */
function historyOf(log: DurableLogRow, branch: number): ReadonlyMap<number, number> {
  const history = new Map<number, number>();
  const nodes = nodesByBranch(log);
  const points = new Map(log.branches.map((each) => [each.branch, each]));
  let before = Number.POSITIVE_INFINITY;
  for (let at = branch; ;) {
    const point = points.get(at);
    const first = point?.firstNode ?? 1;
    for (const node of nodes.get(at) ?? []) if (node.node < before && node.node >= first) history.set(node.node, at);
    if (point === undefined) return history;
    before = Math.min(before, first);
    at = point.parent;
  }
}
