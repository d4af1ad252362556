import type { PlannerWorker } from '../queue/planner-worker.ts';
import { touch, type Plan } from '../state/plan.ts';
import { lookCost, type SettleBudget } from '../state/settle-budget.ts';
import type { TaskRow } from '../state/table/rows.ts';
import type { TenantWork } from '../state/tenant-work.ts';

/**
 * While a worker is away the deadlines of its tasks stand still; back again, they move by as long as it was away. A worker may
 * have a hundred thousand: what is not done yet is done while transactions are settled. A deadline that comes before it stands
 * is made to stand instead of being met; one that has not gone on yet cannot come.
 */
export function setAway(plan: Plan, worker: PlannerWorker, away: boolean): void {
  const { state, nowUs } = plan;
  const { awaySinceUs } = worker;
  if (away === awaySinceUs > 0) return;
  state.undo.set(worker, 'awaySinceUs', away ? nowUs : 0);
  const before = state.unsettled.of(worker.tenantId).standstills.get(worker);
  if (away) {
    if (before !== undefined) shiftHeld(plan, worker, before.shiftUs);
  } else if (before !== undefined) holdAll(plan, worker);
  state.unsettled.noteStandstill(worker, { isOver: !away, shiftUs: away ? 0 : Math.max(nowUs - awaySinceUs, 0) });
}

/** Goes on with those that are not through, as far as there is room. */
export function settleStandstills(plan: Plan, work: TenantWork, budget: SettleBudget): void {
  const { undo, deadlines } = plan.state;
  for (const [worker, { isOver, shiftUs }] of work.standstills) {
    for (const row of worker.tasks) {
      if (deadlines.isHeld(row) !== isOver || deadlines.dueUs(row) === 0) continue;
      if (budget.admissions <= 0) return;
      if (isOver) {
        deadlines.release(row, shiftUs, undo);
        touch(plan, row);
        budget.admissions--;
      } else {
        deadlines.hold(row, undo);
        budget.admissions -= lookCost;
      }
    }
    undo.remove(work.standstills, worker);
  }
}

/** Something is said of a task by a worker that is back: its deadline goes on now, before it is looked at or set anew. */
export function goOnIfBack(plan: Plan, row: TaskRow): void {
  const { state } = plan;
  const worker = state.workerOf(row);
  if (worker === undefined || !state.deadlines.isHeld(row)) return;
  const standstill = state.unsettled.of(worker.tenantId).standstills.get(worker);
  if (standstill?.isOver !== true) return;
  state.deadlines.release(row, standstill.shiftUs, state.undo);
  touch(plan, row);
}

/** It leaves again before all have gone on: those that stand have stood all the while. */
function shiftHeld({ state: { deadlines, undo } }: Plan, worker: PlannerWorker, shiftUs: number): void {
  for (const row of worker.tasks) if (deadlines.isHeld(row)) deadlines.set(row, deadlines.dueUs(row) + shiftUs, undo);
}

/** It is back before all stand: all are to move. */
function holdAll({ state: { deadlines, undo } }: Plan, worker: PlannerWorker): void {
  for (const row of worker.tasks) deadlines.hold(row, undo);
}
