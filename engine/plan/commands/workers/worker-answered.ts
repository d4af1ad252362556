import { findOwnWorker } from './own-worker.ts';
import { hear } from '../../queue/blocked-worker.ts';
import { hasNoPayloads, makesNoRows, needsNothing, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

/** A worker that did not answer has said something. */
export interface WorkerAnsweredCommand {
  kind: 'workerAnswered';
  tenantId: TenantId;
  workerId: string;
}

export const workerAnswered: Kind<WorkerAnsweredCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: weighsOne,
  split: undefined,
  plan: (plan, command) => hear(plan, findOwnWorker(plan, command)),
};
