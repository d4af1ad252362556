import { admitArrival, wakeGroup, type Doomed } from '../concurrency/admit.ts';
import { assignWaiting } from '../queue/assign.ts';
import { cancelRow } from './interrupt.ts';
import type { Plan } from '../state/plan.ts';

/**
 * What a batch's commands lead to, once all of them are planned: places that became free go to those that wait, then
 * the tasks that became ready are judged in their order, and whoever a strategy gives up is cancelled, until nothing
 * moves any more; last, the admitted get workers.
 */
export function settle(plan: Plan): void {
  const { state } = plan;
  while (state.freed.size > 0 || state.arrivals.length > 0) {
    const freed = [...state.freed];
    state.freed.clear();
    for (const group of freed) wakeGroup(plan, group);
    if (state.freed.size > 0) continue;
    const next = state.arrivals.shift();
    if (next === undefined || state.tasks.alive[next.row] !== 1) continue;
    for (const doomed of admitArrival(plan, next.row, next.rank)) cancelClaim(plan, doomed);
  }
  assignWaiting(plan);
}

function cancelClaim(plan: Plan, { claim, group }: Doomed): void {
  const message = `cancelled by ${group.strategy} (at most ${group.maxRuns}) on key ${JSON.stringify(group.key)}`;
  for (const row of Array.from(claim.rows)) cancelRow(plan, row, message);
}
