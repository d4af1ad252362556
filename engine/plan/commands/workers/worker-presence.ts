import { findOwnWorker } from './own-worker.ts';
import type { PlannerWorker } from '../../queue/planner-worker.ts';
import { touch, type Plan } from '../../state/plan.ts';
import { hasNoPayloads, makesNoRows, needsNothing, startsNoRuns, weighsOne, type Kind } from '../kind.ts';

/** From the session layer: may the worker be given tasks? Memory only. */
export interface WorkerPresenceCommand {
  kind: 'workerPresence';
  tenantId: string;
  workerId: string;
  assignable: boolean;
  /** Its stream has ended: until it is back or lost, nobody can say whether its tasks run, and no time passes for them. */
  away?: boolean;
}

export const workerPresence: Kind<WorkerPresenceCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: weighsOne,
  split: undefined,
  plan: setPresence,
};

/** Changes no row: after a restart the session layer says it again. */
function setPresence(plan: Plan, command: WorkerPresenceCommand): void {
  const { state } = plan;
  const worker = findOwnWorker(plan, command);
  if (worker === undefined) return;
  setAway(plan, worker, command.away === true);
  if (worker.assignable === command.assignable) return;
  state.undo.set(worker, 'assignable', command.assignable);
  if (command.assignable) state.unsettled.noteRoom(worker);
}

/** While a worker is away the deadlines of its tasks stand still; back again, they move by as long as it was away. */
function setAway(plan: Plan, worker: PlannerWorker, away: boolean): void {
  const { state, nowUs } = plan;
  const { awaySinceUs } = worker;
  if (away === awaySinceUs > 0) return;
  state.undo.set(worker, 'awaySinceUs', away ? nowUs : 0);
  for (const row of worker.tasks) {
    if (away) state.deadlines.hold(row, state.undo);
    else if (state.deadlines.isHeld(row)) {
      state.deadlines.release(row, Math.max(nowUs - awaySinceUs, 0), state.undo);
      touch(plan, row);
    }
  }
}
