import { findOwnWorker } from './own-worker.ts';
import type { Plan } from '../../state/plan.ts';
import { setAway } from '../../lifecycle/worker-standstill.ts';
import { hasNoPayloads, makesNoRows, needsNothing, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

/** From the session layer: may the worker be given tasks? Memory only. */
export interface WorkerPresenceCommand {
  kind: 'workerPresence';
  tenantId: TenantId;
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
