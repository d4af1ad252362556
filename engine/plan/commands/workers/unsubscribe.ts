import { ownWorker } from './own-worker.ts';
import type { Plan } from '../../state/plan.ts';
import { hasNoPayloads, makesNoRows, needsNothing, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

/** A worker says goodbye. */
export interface UnsubscribeCommand {
  kind: 'unsubscribe';
  tenantId: TenantId;
  workerId: string;
}

export const unsubscribe: Kind<UnsubscribeCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: weighsOne,
  split: undefined,
  plan: end,
};

/** Its running tasks go on, and may report while its heartbeats would still count. */
function end(plan: Plan, command: UnsubscribeCommand): void {
  const { state, changes } = plan;
  const worker = ownWorker(plan, command.tenantId, command.workerId);
  if (worker.ended) return;
  state.undo.set(worker, 'ended', true);
  changes.workerUpdates.push({ id: worker.id, labels: null, paused: null, ended: true });
  changes.effects.push({ kind: 'workerEnded', workerId: worker.id });
}
