import { HatchetError } from '../../base/errors.ts';
import { batchReport } from './attempts/batch-report.ts';
import { cancelSent } from './attempts/cancel-sent.ts';
import { completed } from './attempts/completed.ts';
import { failed } from './attempts/failed.ts';
import { reassignUnstarted } from './attempts/reassign-unstarted.ts';
import { returnUnsent } from './attempts/return-unsent.ts';
import { started } from './attempts/started.ts';
import { unanswered } from './attempts/reassign-unanswered.ts';
import { deleteFilter } from './definitions/delete-filter.ts';
import { deleteRateLimit } from './definitions/delete-rate-limit.ts';
import { deleteWorkflow } from './definitions/delete-workflow.ts';
import { pauseRateLimit } from './definitions/pause-rate-limit.ts';
import { pauseWorkflow } from './definitions/pause-workflow.ts';
import { putFilter } from './definitions/put-filter.ts';
import { putRateLimit } from './definitions/put-rate-limit.ts';
import { putWorkflow } from './definitions/put-workflow.ts';
import { durableAsk } from './durable/durable-ask.ts';
import { durableAttach } from './durable/durable-attach.ts';
import { durableBranch } from './durable/durable-branch.ts';
import { durableContinue } from './durable/durable-continue.ts';
import { durableEvict } from './durable/durable-evict.ts';
import { durableMemo } from './durable/durable-memo.ts';
import { durableRestore } from './durable/durable-restore.ts';
import { durableSignal } from './durable/durable-signal.ts';
import { durableSkip } from './durable/durable-skip.ts';
import { durableStatus } from './durable/durable-status.ts';
import { pushEvent } from './events/push-event.ts';
import { wakeByEvent } from './events/wake-by-event.ts';
import { cancel } from './runs/cancel.ts';
import { refreshTimeout } from './runs/refresh-timeout.ts';
import { releaseSlot } from './runs/release-slot.ts';
import { replay } from './runs/replay.ts';
import { trigger } from './runs/trigger.ts';
import { deleteTimers } from './timers/delete-timers.ts';
import { fireTimer } from './timers/fire-timer.ts';
import { putCron } from './timers/put-cron.ts';
import { putSchedules } from './timers/put-schedules.ts';
import { reschedule } from './timers/reschedule.ts';
import { setCronEnabled } from './timers/set-cron-enabled.ts';
import { closeTenant } from './upkeep/close-tenant.ts';
import { putOff } from './upkeep/put-off-refused-task.ts';
import { tick } from './upkeep/tick.ts';
import { registerWorker } from './workers/register-worker.ts';
import { unsubscribe } from './workers/unsubscribe.ts';
import { updateWorker } from './workers/update-worker.ts';
import { workerAnswered } from './workers/worker-answered.ts';
import { workerLost } from './workers/worker-lost.ts';
import { workerPresence } from './workers/worker-presence.ts';
import type { Plan } from '../state/plan.ts';
import type { ShardState } from '../state/shard-state.ts';
import type { Facts } from './loaded-facts.ts';
import type { Kind } from './command-kind.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** Everything that changes a shard's state. Ids are minted at the edge: running a command again with its ids changes nothing. */
type CommandOf<K> = K extends Kind<infer C, infer _Reply> ? C : never;
type ReplyOf<K> = K extends Kind<infer _C, infer Reply> ? Reply : never;

export interface CommandByKind {
  batchReport: CommandOf<typeof batchReport>;
  cancelSent: CommandOf<typeof cancelSent>;
  completed: CommandOf<typeof completed>;
  failed: CommandOf<typeof failed>;
  reassignUnstarted: CommandOf<typeof reassignUnstarted>;
  returnUnsent: CommandOf<typeof returnUnsent>;
  started: CommandOf<typeof started>;
  unanswered: CommandOf<typeof unanswered>;
  deleteFilter: CommandOf<typeof deleteFilter>;
  deleteRateLimit: CommandOf<typeof deleteRateLimit>;
  deleteWorkflow: CommandOf<typeof deleteWorkflow>;
  pauseRateLimit: CommandOf<typeof pauseRateLimit>;
  pauseWorkflow: CommandOf<typeof pauseWorkflow>;
  putFilter: CommandOf<typeof putFilter>;
  putRateLimit: CommandOf<typeof putRateLimit>;
  putWorkflow: CommandOf<typeof putWorkflow>;
  durableAsk: CommandOf<typeof durableAsk>;
  durableAttach: CommandOf<typeof durableAttach>;
  durableBranch: CommandOf<typeof durableBranch>;
  durableContinue: CommandOf<typeof durableContinue>;
  durableEvict: CommandOf<typeof durableEvict>;
  durableMemo: CommandOf<typeof durableMemo>;
  durableRestore: CommandOf<typeof durableRestore>;
  durableSignal: CommandOf<typeof durableSignal>;
  durableSkip: CommandOf<typeof durableSkip>;
  durableStatus: CommandOf<typeof durableStatus>;
  pushEvent: CommandOf<typeof pushEvent>;
  wakeByEvent: CommandOf<typeof wakeByEvent>;
  cancel: CommandOf<typeof cancel>;
  refreshTimeout: CommandOf<typeof refreshTimeout>;
  releaseSlot: CommandOf<typeof releaseSlot>;
  replay: CommandOf<typeof replay>;
  trigger: CommandOf<typeof trigger>;
  deleteTimers: CommandOf<typeof deleteTimers>;
  fireTimer: CommandOf<typeof fireTimer>;
  putCron: CommandOf<typeof putCron>;
  putSchedules: CommandOf<typeof putSchedules>;
  reschedule: CommandOf<typeof reschedule>;
  setCronEnabled: CommandOf<typeof setCronEnabled>;
  closeTenant: CommandOf<typeof closeTenant>;
  putOff: CommandOf<typeof putOff>;
  tick: CommandOf<typeof tick>;
  registerWorker: CommandOf<typeof registerWorker>;
  unsubscribe: CommandOf<typeof unsubscribe>;
  updateWorker: CommandOf<typeof updateWorker>;
  workerAnswered: CommandOf<typeof workerAnswered>;
  workerLost: CommandOf<typeof workerLost>;
  workerPresence: CommandOf<typeof workerPresence>;
}
export type CommandKind = keyof CommandByKind;
export type Command = CommandByKind[CommandKind];

/** Those that say whose they are. The others are the engine's own, and speak of a shard. */
export type TenantCommandKind = {
  [K in CommandKind]: CommandByKind[K] extends { tenantId: TenantId } ? K : never;
}[CommandKind];
export type TenantCommand = CommandByKind[TenantCommandKind];

type KindOf<K extends CommandKind> = Kind<CommandByKind[K] & { kind: K }, ReplyByKind[K]>;

/** What each command answers, once it is committed. */
export interface ReplyByKind {
  batchReport: ReplyOf<typeof batchReport>;
  cancelSent: ReplyOf<typeof cancelSent>;
  completed: ReplyOf<typeof completed>;
  failed: ReplyOf<typeof failed>;
  reassignUnstarted: ReplyOf<typeof reassignUnstarted>;
  returnUnsent: ReplyOf<typeof returnUnsent>;
  started: ReplyOf<typeof started>;
  unanswered: ReplyOf<typeof unanswered>;
  deleteFilter: ReplyOf<typeof deleteFilter>;
  deleteRateLimit: ReplyOf<typeof deleteRateLimit>;
  deleteWorkflow: ReplyOf<typeof deleteWorkflow>;
  pauseRateLimit: ReplyOf<typeof pauseRateLimit>;
  pauseWorkflow: ReplyOf<typeof pauseWorkflow>;
  putFilter: ReplyOf<typeof putFilter>;
  putRateLimit: ReplyOf<typeof putRateLimit>;
  putWorkflow: ReplyOf<typeof putWorkflow>;
  durableAsk: ReplyOf<typeof durableAsk>;
  durableAttach: ReplyOf<typeof durableAttach>;
  durableBranch: ReplyOf<typeof durableBranch>;
  durableContinue: ReplyOf<typeof durableContinue>;
  durableEvict: ReplyOf<typeof durableEvict>;
  durableMemo: ReplyOf<typeof durableMemo>;
  durableRestore: ReplyOf<typeof durableRestore>;
  durableSignal: ReplyOf<typeof durableSignal>;
  durableSkip: ReplyOf<typeof durableSkip>;
  durableStatus: ReplyOf<typeof durableStatus>;
  pushEvent: ReplyOf<typeof pushEvent>;
  wakeByEvent: ReplyOf<typeof wakeByEvent>;
  cancel: ReplyOf<typeof cancel>;
  refreshTimeout: ReplyOf<typeof refreshTimeout>;
  releaseSlot: ReplyOf<typeof releaseSlot>;
  replay: ReplyOf<typeof replay>;
  trigger: ReplyOf<typeof trigger>;
  deleteTimers: ReplyOf<typeof deleteTimers>;
  fireTimer: ReplyOf<typeof fireTimer>;
  putCron: ReplyOf<typeof putCron>;
  putSchedules: ReplyOf<typeof putSchedules>;
  reschedule: ReplyOf<typeof reschedule>;
  setCronEnabled: ReplyOf<typeof setCronEnabled>;
  closeTenant: ReplyOf<typeof closeTenant>;
  putOff: ReplyOf<typeof putOff>;
  tick: ReplyOf<typeof tick>;
  registerWorker: ReplyOf<typeof registerWorker>;
  unsubscribe: ReplyOf<typeof unsubscribe>;
  updateWorker: ReplyOf<typeof updateWorker>;
  workerAnswered: ReplyOf<typeof workerAnswered>;
  workerLost: ReplyOf<typeof workerLost>;
  workerPresence: ReplyOf<typeof workerPresence>;
}

const kinds: { readonly [K in CommandKind]: KindOf<K> } = {
  batchReport,
  cancelSent,
  completed,
  failed,
  reassignUnstarted,
  returnUnsent,
  started,
  unanswered,
  deleteFilter,
  deleteRateLimit,
  deleteWorkflow,
  pauseRateLimit,
  pauseWorkflow,
  putFilter,
  putRateLimit,
  putWorkflow,
  durableAsk,
  durableAttach,
  durableBranch,
  durableContinue,
  durableEvict,
  durableMemo,
  durableRestore,
  durableSignal,
  durableSkip,
  durableStatus,
  pushEvent,
  wakeByEvent,
  cancel,
  refreshTimeout,
  releaseSlot,
  replay,
  trigger,
  deleteTimers,
  fireTimer,
  putCron,
  putSchedules,
  reschedule,
  setCronEnabled,
  closeTenant,
  putOff,
  tick,
  registerWorker,
  unsubscribe,
  updateWorker,
  workerAnswered,
  workerLost,
  workerPresence,
};

/** What the engine has to know of the command's kind. */
export function kindOf<K extends CommandKind>(command: CommandByKind[K] & { kind: K }): KindOf<K> {
  return kinds[command.kind];
}

/**
 * Plans a command.
 * @throws HatchetError for a refusal; whoever calls takes back what was done by then
 */
export function planCommand<K extends CommandKind>(
  plan: Plan,
  command: CommandByKind[K] & { kind: K },
  facts: Facts,
): ReplyByKind[K] {
  const kind = kindOf<K>(command);
  refuseClosed(plan.state, kind.makesRowsOf(command));
  return kind.plan(plan, command, facts);
}

/**
 * What was sent before the tenant's tokens were refused may come at any later time: it may wait for Postgres, or for its
 * expressions. Once its rows are gone, a task of it would keep the next engine from taking the shard over.
 * @throws HatchetError UNKNOWN_TENANT
 */
function refuseClosed({ closedTenants }: ShardState, tenantId: TenantId | undefined): void {
  if (tenantId === undefined || !closedTenants.has(tenantId)) return;
  throw new HatchetError('UNKNOWN_TENANT', `the tenant ${tenantId} is being deleted`, {
    remedy: 'Use a token of another tenant.',
  });
}
