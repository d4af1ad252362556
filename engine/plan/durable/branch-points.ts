import { firstBranch, type BranchPoint } from '../../model/durable/durable.ts';

/** Of a task that is on the newest of its branches: that branch, and those that it comes from, newest first. */
function* lineage(points: readonly BranchPoint[]): Generator<BranchPoint> {
  for (let point = points.at(-1); point !== undefined;) {
    yield point;
    const { parent } = point;
    point = points.find(({ branch }) => branch === parent);
  }
}

/** The branch with which the task's present input is stored; null where it has the run's. */
export function inputBranchOf(points: readonly BranchPoint[]): number | null {
  for (const { branch, hasInput } of lineage(points)) if (hasInput) return branch;
  return null;
}

/** The oldest branch of which the newest sees a node: what lies before it needs no read. */
export function oldestVisibleBranch(points: readonly BranchPoint[]): number {
  for (const { branch, first } of lineage(points)) if (first === 1) return branch;
  return firstBranch;
}
