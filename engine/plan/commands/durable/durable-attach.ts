import type { Plan } from '../../state/plan.ts';
import { findOwnWorker } from '../workers/own-worker.ts';
import { hasNoPayloads, makesNoRows, needsNothing, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

/** A worker has opened a durable stream. Changes memory alone. */
export interface DurableAttachCommand {
  kind: 'durableAttach';
  tenantId: TenantId;
  workerId: string;
  stream: number;
  /** It hands results to its code strictly in the order of delivery. */
  strict: boolean;
}

export const durableAttach: Kind<DurableAttachCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: weighsOne,
  split: undefined,
  plan: attach,
};

/** Results that the old stream carried may be lost, so nothing new is told before the worker has said what it waits for. */
function attach(plan: Plan, command: DurableAttachCommand): void {
  const { durable, undo } = plan.state;
  const worker = findOwnWorker(plan, command);
  if (worker === undefined) return;
  undo.assign(worker, { durableStream: command.stream, isStrict: command.strict && !worker.forgetsResults });
  for (const row of worker.tasks) durable.task(row)?.delivery.mute(undo);
}
