import { HatchetError } from '../../../base/errors.ts';
import { ownWorker } from './own-worker.ts';
import type { Plan } from '../../state/plan.ts';
import { hasNoPayloads, makesNoRows, needsNothing, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import type { LabelValue } from '../../../model/task/worker-labels.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

export interface UpdateWorkerCommand {
  kind: 'updateWorker';
  tenantId: TenantId;
  workerId: string;
  /** Merged into the worker's labels. */
  labels?: Readonly<Record<string, string | number>>;
  paused?: boolean;
}

export const updateWorker: Kind<UpdateWorkerCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: weighsOne,
  split: undefined,
  plan: update,
};

/** Of one worker, over all that were ever put to it. */
const mostLabels = 1000;

function update(plan: Plan, command: UpdateWorkerCommand): void {
  const { state, changes } = plan;
  const worker = ownWorker(plan, command.tenantId, command.workerId);
  const { paused } = command;
  if (paused !== undefined && paused !== worker.paused) {
    state.undo.set(worker, 'paused', paused);
    state.unsettled.noteRoom(worker);
  }
  if (command.labels !== undefined) {
    const merged: ReadonlyMap<string, LabelValue> = new Map([...worker.labels, ...Object.entries(command.labels)]);
    if (merged.size > mostLabels)
      throw new HatchetError('INVALID_ARGUMENT', `worker ${worker.id} would have ${merged.size} labels`, {
        remedy: `Give it at most ${mostLabels}: labels stay until the worker ends.`,
      });
    state.undo.set(worker, 'labels', merged);
    state.unsettled.noteRoom(worker);
  }
  changes.workerUpdates.push({
    id: worker.id,
    labels: command.labels === undefined ? null : JSON.stringify(command.labels),
    paused: paused ?? null,
    ended: false,
  });
}
