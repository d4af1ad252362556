import { firstBranch } from '../../model/durable/durable.ts';
import type { StoredBranches } from '../../plan/commands/loaded-facts.ts';
import type { Asking } from './command-needs.ts';
import { visibleNodes, type StoredLog } from './stored-durable-logs.ts';

/** Where the branches of durable tasks leave each other that are to start again from a node of theirs. */
export function branchesOf(
  asking: readonly Asking[],
  logs: ReadonlyMap<string, StoredLog>,
): ReadonlyMap<Asking, StoredBranches> {
  const found = new Map<Asking, StoredBranches>();
  for (const each of asking) {
    const { branch: asked } = each.needs;
    if (asked === undefined) continue;
    const { job } = each;
    const stored = logs.get(asked.taskId);
    const points = stored?.points ?? [];
    const newest = points.at(-1);
    const newestAtFirst = job.firstSeen?.newestBranch ?? newest?.branch ?? firstBranch;
    job.firstSeen = { ...job.firstSeen, newestBranch: newestAtFirst };
    found.set(each, {
      points,
      nodes:
        stored === undefined
          ? []
          : visibleNodes(stored, asked.branch === 0 ? (newest?.branch ?? firstBranch) : asked.branch),
      // An uncertain try that has committed left a branch that nothing follows.
      made: job.mayBeDone && newest !== undefined && newest.branch > newestAtFirst ? newest : null,
    });
  }
  return found;
}
