import { firstBranch, type BranchPoint } from '../../model/durable/durable.ts';

/** Of a task that is on the newest of its branches: that branch, and those whose nodes it sees, newest first. */
function* lineage(points: readonly BranchPoint[]): Generator<BranchPoint> {
  let point = points.at(-1);
  while (point !== undefined) {
    yield point;
    if (point.first === 1) return;
    const { parent } = point;
    point = points.find(({ branch }) => branch === parent);
  }
}

/** The branch with which the task's present input is stored; null where it has the run's. */
export function inputBranchOf(points: readonly BranchPoint[]): number | null {
  for (let point = points.at(-1); point !== undefined;) {
    if (point.hasInput) return point.branch;
    const { parent } = point;
    point = points.find(({ branch }) => branch === parent);
  }
  return null;
}

/** The oldest branch of which the newest sees a node: what lies before it needs no read. */
export function oldestVisibleBranch(points: readonly BranchPoint[]): number {
  let oldest = points.at(-1)?.branch ?? firstBranch;
  for (const { branch, parent, first } of lineage(points)) oldest = first === 1 ? branch : parent;
  return oldest;
}
