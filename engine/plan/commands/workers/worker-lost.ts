import type { WorkerDeath } from '../../state/tenant-work.ts';
import { findOwnWorker } from './own-worker.ts';
import { emptyLostWorker } from '../../lifecycle/empty-lost-worker.ts';
import type { Plan } from '../../state/plan.ts';
import { hasNoPayloads, makesNoRows, needsNothing, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

/** The worker was silent for longer than the limit, or its process has ended: its tasks go elsewhere. */
export interface WorkerLostCommand {
  kind: 'workerLost';
  tenantId: TenantId;
  workerId: string;
  /** Absent where its tasks are not to count it. */
  death?: WorkerDeath;
  /** It is not expected back. */
  forget?: boolean;
  /** Its stream is open: it may be awake again, and is told that its attempts are over before they go elsewhere. */
  connected?: boolean;
}

export const workerLost: Kind<WorkerLostCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: weighsOne,
  split: undefined,
  plan: lose,
};

function lose(plan: Plan, command: WorkerLostCommand): void {
  const worker = findOwnWorker(plan, command);
  if (worker === undefined) return;
  emptyLostWorker(plan, worker, {
    // One that has said goodbye has not died: what it had left was to go to others.
    death: worker.ended ? undefined : command.death,
    toBeTold: command.connected === true && worker.awaySinceUs === 0,
    forget: worker.ended || command.forget === true,
  });
  if (command.death?.isCertain === true && !worker.ended)
    plan.changes.workerUpdates.push({ id: worker.id, labels: null, paused: null, ended: true });
}
