import { HatchetError } from '../../../base/errors.ts';
import type { Plan } from '../../state/plan.ts';
import type { PlannerWorker } from '../../queue/planner-worker.ts';

/** The tenant's worker. @throws HatchetError UNKNOWN_WORKER */
export function ownWorker(plan: Plan, tenantId: string, workerId: string): PlannerWorker {
  const worker = plan.state.workersById.get(workerId);
  if (worker === undefined || worker.tenantId !== tenantId) {
    throw new HatchetError('UNKNOWN_WORKER', `no worker ${workerId}`, { remedy: 'Register the worker again.' });
  }
  return worker;
}
