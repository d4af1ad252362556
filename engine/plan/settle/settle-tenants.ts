import { admitArrival, thinOut, wakeGroup } from '../concurrency/admit.ts';
import { assignWaiting } from '../queue/assign.ts';
import { noteRefills } from '../rate-limits/wake-at-refill.ts';
import type { Plan } from '../state/plan.ts';
import type { TenantWork } from '../state/tenant-work.ts';
import { settleStandstills } from '../lifecycle/worker-standstill.ts';
import { emptyLostWorkers } from '../lifecycle/empty-lost-worker.ts';
import { SettleBudget } from '../state/settle-budget.ts';

interface Turn {
  readonly plan: Plan;
  readonly work: TenantWork;
}

/**
 * What a transaction's commands lead to, once all of them are planned, and what the last one had no room for: places that
 * became free go to those that wait, then the tasks that became ready are judged in their order, and whoever a strategy
 * gives up is cancelled; last, the admitted get workers. Tenants take turns, and so do transactions: what is left when the
 * budget is spent is what `hasMore` tells of.
 */
export function settle(plans: Iterable<Plan>, budget = new SettleBudget()): void {
  let turns: Turn[] = [];
  for (const plan of plans) {
    noteRefills(plan);
    for (const work of plan.state.unsettled.turns) turns.push({ plan, work });
  }
  const served = new Set<Turn>();
  let moved = true;
  for (let round = 0; round < budget.rounds && moved && turns.length > 0 && !budget.isSpent; round++) {
    moved = false;
    const left: Turn[] = [];
    for (const [index, turn] of turns.entries()) {
      if (budget.isSpent) {
        left.push(...turns.slice(index));
        break;
      }
      const share = budget.share(turns.length - index);
      const { admissions, assignments } = share;
      settleTenant(turn, share);
      const spent = { admissions: admissions - share.admissions, assignments: assignments - share.assignments };
      budget.spend(spent);
      moved ||= spent.admissions + spent.assignments > 0;
      served.add(turn);
      const { state } = turn.plan;
      if (turn.work.isDone) state.unsettled.settled(turn.work);
      else left.push(turn);
    }
    turns = left;
  }
  // Whoever had no turn is first in the next transaction.
  for (const turn of turns) if (served.has(turn)) turn.plan.state.unsettled.moveBack(turn.work);
}

function settleTenant({ plan, work }: Turn, budget: SettleBudget): void {
  emptyLostWorkers(plan, work, budget);
  settleStandstills(plan, work, budget);
  while (work.isAdmitting && budget.admissions > 0) admitNext(plan, work, budget);
  assignWaiting(plan, work, budget);
}

/** Places that are free first: who waits for them was there before. */
function admitNext(plan: Plan, work: TenantWork, budget: SettleBudget): void {
  const { undo } = plan.state;
  const [freed] = work.freed;
  if (freed !== undefined) {
    if (wakeGroup(plan, freed, budget)) undo.delete(work.freed, freed);
    return;
  }
  const [crowded] = work.crowded;
  if (crowded !== undefined) {
    if (thinOut(plan, crowded, budget)) undo.delete(work.crowded, crowded);
    return;
  }
  admitArrival(plan, work.arrivals, budget);
}
