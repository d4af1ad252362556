import { planBatchReport } from './batch-report.ts';
import { planCloseTenant, refuseClosed } from './close-tenant.ts';
import type { CommandByKind, CommandKind, ReplyByKind } from './command.ts';
import {
  planCancel,
  planCancelSent,
  planReassignUnstarted,
  planReturnUnsent,
  planUnanswered,
} from '../lifecycle/interrupt.ts';
import { planDurableAsk } from './durable-ask.ts';
import { planDurableBranch } from './durable-branch.ts';
import {
  planDurableAttach,
  planDurableEvict,
  planDurableMemo,
  planDurableRestore,
  planDurableSignal,
  planDurableSkip,
  planDurableStatus,
} from './durable-messages.ts';
import type { Plan } from '../state/plan.ts';
import { planPauseWorkflow } from './pause-workflow.ts';
import {
  planDeleteTimers,
  planFireTimer,
  planPutCron,
  planPutSchedules,
  planReschedule,
  planSetCronEnabled,
} from './plan-timers.ts';
import { planPushEvent } from './push-event.ts';
import { planDeleteFilter, planPutFilter } from './put-filter.ts';
import { planDeleteRateLimit, planPutRateLimit } from './put-rate-limit.ts';
import { planReplay } from './replay.ts';
import { planPutWorkflow } from './put-workflow.ts';
import { planCompleted, planFailed, planStarted } from './report.ts';
import { planRefreshTimeout, planReleaseSlot } from './running-task.ts';
import { planPutOff, planTick } from './tick.ts';
import { planTrigger } from './trigger.ts';
import {
  planRegisterWorker,
  planUnsubscribe,
  planUpdateWorker,
  planWorkerAnswered,
  planWorkerLost,
  planWorkerPresence,
} from './worker-plan.ts';

/** The planner's table of contents. */
const planners: { readonly [K in CommandKind]: (plan: Plan, command: CommandByKind[K]) => ReplyByKind[K] } = {
  putWorkflow: planPutWorkflow,
  pauseWorkflow: planPauseWorkflow,
  putRateLimit: planPutRateLimit,
  deleteRateLimit: planDeleteRateLimit,
  trigger: planTrigger,
  pushEvent: planPushEvent,
  putCron: planPutCron,
  setCronEnabled: planSetCronEnabled,
  putSchedules: planPutSchedules,
  reschedule: planReschedule,
  deleteTimers: planDeleteTimers,
  fireTimer: planFireTimer,
  putFilter: planPutFilter,
  deleteFilter: planDeleteFilter,
  registerWorker: planRegisterWorker,
  updateWorker: planUpdateWorker,
  workerPresence: planWorkerPresence,
  workerLost: planWorkerLost,
  unsubscribe: planUnsubscribe,
  started: planStarted,
  completed: planCompleted,
  failed: planFailed,
  batchReport: planBatchReport,
  cancel: planCancel,
  replay: planReplay,
  cancelSent: planCancelSent,
  returnUnsent: planReturnUnsent,
  reassignUnstarted: planReassignUnstarted,
  unanswered: planUnanswered,
  workerAnswered: planWorkerAnswered,
  refreshTimeout: planRefreshTimeout,
  releaseSlot: planReleaseSlot,
  tick: planTick,
  putOff: planPutOff,
  closeTenant: planCloseTenant,
  durableAttach: planDurableAttach,
  durableAsk: planDurableAsk,
  durableMemo: planDurableMemo,
  durableEvict: planDurableEvict,
  durableStatus: planDurableStatus,
  durableRestore: planDurableRestore,
  durableBranch: planDurableBranch,
  durableSkip: planDurableSkip,
  durableSignal: planDurableSignal,
};

/** Throws HatchetError for a refusal; whoever calls takes back what was done by then. */
export function runCommand<K extends CommandKind>(plan: Plan, kind: K, command: CommandByKind[K]): ReplyByKind[K] {
  refuseClosed(plan.state, kind, command);
  return planners[kind](plan, command);
}
