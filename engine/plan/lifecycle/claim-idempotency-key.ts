import type { Collision, TriggerRun } from '../../model/task/trigger-run.ts';
import type { Plan } from '../state/plan.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/**
 * Claims a run's idempotency key, or says who has it. The loader has read the stored claims right before the plan;
 * those of the same transaction are in memory.
 */
export function claimIdempotencyKey(plan: Plan, tenantId: TenantId, run: TriggerRun): Collision | undefined {
  const { state, changes, nowUs } = plan;
  const { idempotency } = run;
  if (idempotency === null) return undefined;
  const id = `${tenantId} ${idempotency.key}`;
  const held = state.keyClaims.get(id);
  if (held !== undefined && held.expiresUs > nowUs && (!held.byStatus || isUnfinished(plan, held.runId)))
    return { existingRunId: held.runId, collidingRunId: run.runId };
  const claim = {
    tenantId,
    key: idempotency.key,
    runId: run.runId,
    byStatus: idempotency.byStatus,
    expiresUs: nowUs + idempotency.ttlUs,
  };
  state.undo.put(state.keyClaims, id, claim);
  changes.keyClaims.push(claim);
  return undefined;
}

function isUnfinished({ state }: Plan, runId: string): boolean {
  const row = state.runsById.get(runId);
  if (row !== undefined) return state.runs[row]?.ended === false;
  const task = state.tasks.find(runId);
  return task !== undefined && !state.isEnded(task);
}
