import { HatchetError } from '../../../base/errors.ts';
import type { Plan } from '../../state/plan.ts';
import type { PlannerWorker } from '../../queue/planner-worker.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

/** The tenant's worker. @throws HatchetError UNKNOWN_WORKER */
export function ownWorker(plan: Plan, tenantId: TenantId, workerId: string): PlannerWorker {
  const worker = findOwnWorker(plan, { tenantId, workerId });
  if (worker === undefined) {
    throw new HatchetError('UNKNOWN_WORKER', `no worker ${workerId}`, { remedy: 'Register the worker again.' });
  }
  return worker;
}

/** The tenant's worker, unless it is forgotten by now. */
export function findOwnWorker(
  { state }: Plan,
  { tenantId, workerId }: { tenantId: TenantId; workerId: string },
): PlannerWorker | undefined {
  const worker = state.workersById.get(workerId);
  return worker?.tenantId === tenantId ? worker : undefined;
}
