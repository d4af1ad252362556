import type { Plan } from '../../state/plan.ts';
import { hasNoPayloads, needsNothing, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import type { PlannerWorker } from '../../queue/planner-worker.ts';
import type { ShardState } from '../../state/shard-state.ts';
import type { Restore } from '../../state/undo-log.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

export interface RegisterWorkerCommand {
  kind: 'registerWorker';
  tenantId: TenantId;
  workerId: string;
  name: string;
  /** Lower-case. */
  actions: readonly string[];
  slots: Readonly<Record<string, number>>;
  labels: Readonly<Record<string, string | number>>;
  runtime: Readonly<Record<string, string>>;
}

export const registerWorker: Kind<RegisterWorkerCommand, void> = {
  makesRowsOf: ({ tenantId }) => tenantId,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: weighsOne,
  split: undefined,
  plan: register,
};

const added: Restore<ShardState, PlannerWorker> = { restore: (state, worker) => state.removeWorker(worker) };

function register(plan: Plan, command: RegisterWorkerCommand): void {
  const { state, changes } = plan;
  if (state.workersById.has(command.workerId)) return;
  const worker = state.addWorker({
    id: command.workerId,
    tenantId: command.tenantId,
    name: command.name,
    actions: command.actions,
    slots: new Map(Object.entries(command.slots)),
    labels: new Map(Object.entries(command.labels)),
    runtime: command.runtime,
  });
  state.undo.keep(added, state, worker);
  changes.workers.push({
    id: command.workerId,
    tenantId: command.tenantId,
    name: command.name,
    actions: command.actions,
    slots: JSON.stringify(command.slots),
    labels: JSON.stringify(command.labels),
    runtime: JSON.stringify(command.runtime),
  });
  changes.effects.push({
    kind: 'workerRegistered',
    tenantId: command.tenantId,
    workerId: command.workerId,
    name: command.name,
  });
}
