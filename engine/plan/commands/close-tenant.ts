import { HatchetError } from '../../base/errors.ts';
import type { CloseTenantCommand, CommandByKind, CommandKind } from './command.ts';
import type { Plan } from '../state/plan.ts';
import type { ShardState } from '../state/shard-state.ts';

/**
 * The tenant of a command that makes rows which did not exist. Null where it only changes or ends what there is: that goes
 * on while the tenant is being deleted. (A timer that fires makes a run; timers are deleted before runs are.)
 */
const makesFor: { readonly [K in CommandKind]: ((command: CommandByKind[K]) => string | undefined) | null } = {
  putWorkflow: ({ tenantId }) => tenantId,
  putRateLimit: ({ tenantId }) => tenantId,
  trigger: ({ tenantId }) => tenantId,
  pushEvent: ({ tenantId }) => tenantId,
  putCron: ({ cron }) => cron.tenantId,
  putSchedules: ({ schedules }) => schedules[0]?.tenantId,
  putFilter: ({ filter }) => filter.tenantId,
  registerWorker: ({ tenantId }) => tenantId,
  replay: ({ tenantId }) => tenantId,
  durableAsk: ({ tenantId }) => tenantId,
  durableBranch: ({ tenantId }) => tenantId,
  pauseWorkflow: null,
  deleteRateLimit: null,
  setCronEnabled: null,
  reschedule: null,
  deleteTimers: null,
  fireTimer: null,
  deleteFilter: null,
  updateWorker: null,
  workerPresence: null,
  workerLost: null,
  unsubscribe: null,
  started: null,
  completed: null,
  failed: null,
  batchReport: null,
  cancel: null,
  cancelSent: null,
  returnUnsent: null,
  reassignUnstarted: null,
  unanswered: null,
  workerAnswered: null,
  refreshTimeout: null,
  releaseSlot: null,
  tick: null,
  putOff: null,
  closeTenant: null,
  durableAttach: null,
  durableMemo: null,
  durableEvict: null,
  durableStatus: null,
  durableRestore: null,
  durableSkip: null,
  durableSignal: null,
};

/**
 * What was sent before the tenant's tokens were refused may come at any later time: it may wait for Postgres, or for its
 * expressions. Once its rows are gone, a task of it would keep the next engine from taking the shard over.
 * @throws HatchetError UNKNOWN_TENANT
 */
export function refuseClosed<K extends CommandKind>(state: ShardState, kind: K, command: CommandByKind[K]): void {
  if (state.closedTenants.size === 0) return;
  const tenantId = makesFor[kind]?.(command);
  if (tenantId === undefined || !state.closedTenants.has(tenantId)) return;
  throw new HatchetError('UNKNOWN_TENANT', `the tenant ${tenantId} is being deleted`, {
    remedy: 'Use a token of another tenant.',
  });
}

export function planCloseTenant({ state }: Plan, { tenantId }: CloseTenantCommand): void {
  const { closedTenants, undo } = state;
  if (closedTenants.has(tenantId)) return;
  closedTenants.add(tenantId);
  undo.record(() => closedTenants.delete(tenantId));
}
