import { LiveFlag } from '../../model/task/live-state.ts';
import type { PlannerWorker } from '../queue/planner-worker.ts';
import { hasFlag, type Plan } from '../state/plan.ts';
import type { LostWorker, TenantWork } from '../state/tenant-work.ts';
import { takeFromWorker, type Loss } from './reassign-lost-task.ts';
import type { ShardState } from '../state/shard-state.ts';
import type { Restore } from '../state/undo-log.ts';
import { SettleBudget } from '../state/settle-budget.ts';

/** Tasks that leave a lost worker with the command itself: all, but for the largest workers. */
const atOnce = 200;

/**
 * A worker is gone. The first of its tasks leave it at once, the others while the transactions are settled, as many each as
 * there is room for. Until then they are its: what it may still report of one counts, and it gets nothing new, whatever is
 * said of it meanwhile.
 */
export function emptyLostWorker(plan: Plan, worker: PlannerWorker, lost: LostWorker): void {
  const { state } = plan;
  const { undo } = state;
  undo.set(worker, 'assignable', false);
  undo.set(worker, 'isLeaving', true);
  const work = state.unsettled.of(worker.tenantId);
  const before = work.lostWorkers.get(worker);
  state.unsettled.noteLost(
    worker,
    before === undefined
      ? lost
      : {
          death: before.death,
          forget: before.forget || lost.forget,
          toBeTold: before.toBeTold && lost.toBeTold,
        },
  );
  if (before === undefined && takeTasks(plan, worker, lost, new SettleBudget(atOnce, 0))) endLoss(plan, work, worker);
}

export function emptyLostWorkers(plan: Plan, work: TenantWork, budget: SettleBudget): void {
  for (const [worker, lost] of work.lostWorkers) {
    if (!takeTasks(plan, worker, lost, budget)) return;
    endLoss(plan, work, worker);
  }
}

/** @returns whether it holds none any more but those that it is being told of */
function takeTasks(plan: Plan, worker: PlannerWorker, loss: Loss, budget: SettleBudget): boolean {
  for (const row of worker.tasks) {
    if (loss.toBeTold && hasFlag(plan, row, LiveFlag.WorkerLost)) continue;
    if (budget.admissions <= 0) return false;
    budget.admissions--;
    takeFromWorker(plan, worker, row, loss);
  }
  return true;
}

const workerRemoved: Restore<ShardState, PlannerWorker> = { restore: (state, worker) => state.restoreWorker(worker) };

function endLoss(plan: Plan, work: TenantWork, worker: PlannerWorker): void {
  const { state } = plan;
  const { undo } = state;
  const lost = work.lostWorkers.get(worker);
  if (lost === undefined) return;
  undo.remove(work.lostWorkers, worker);
  undo.set(worker, 'isLeaving', false);
  // One that still has to be told is forgotten when it is lost for good.
  if (!lost.forget || worker.tasks.size > 0) return state.unsettled.noteRoom(worker);
  undo.delete(work.workersWithRoom, worker);
  state.removeWorker(worker);
  undo.keep(workerRemoved, state, worker);
}
