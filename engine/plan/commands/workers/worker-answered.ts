import { hear } from '../../queue/blocked-worker.ts';
import { hasNoPayloads, makesNoRows, needsNothing, startsNoRuns, weighsOne, type Kind } from '../kind.ts';

/** A worker that did not answer has said something. */
export interface WorkerAnsweredCommand {
  kind: 'workerAnswered';
  workerId: string;
}

export const workerAnswered: Kind<WorkerAnsweredCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: weighsOne,
  split: undefined,
  plan: (plan, { workerId }) => hear(plan, plan.state.workersById.get(workerId)),
};
