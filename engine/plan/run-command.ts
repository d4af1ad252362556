import type { Command, Replies } from './command.ts';
import { planCancel, planCancelSent, planReassignUnstarted, planReturnUnsent } from './interrupt.ts';
import type { Plan } from './plan.ts';
import { planPutWorkflow } from './put-workflow.ts';
import { planCompleted, planFailed, planStarted } from './report.ts';
import { planRefreshTimeout, planReleaseSlot } from './running-task.ts';
import { planTick } from './tick.ts';
import { planTrigger } from './trigger.ts';
import { planRegisterWorker, planUnsubscribe, planUpdateWorker, planWorkerLost, planWorkerPresence } from './worker-plan.ts';

/** The planner's table of contents. Throws HatchetError for a refusal; whoever calls takes back what was done by then. */
export function runCommand(plan: Plan, command: Command): Replies[keyof Replies] | undefined {
  switch (command.kind) {
    case 'putWorkflow':
      return planPutWorkflow(plan, command);
    case 'trigger':
      return planTrigger(plan, command);
    case 'registerWorker':
      planRegisterWorker(plan, command);
      return undefined;
    case 'updateWorker':
      planUpdateWorker(plan, command);
      return undefined;
    case 'workerPresence':
      planWorkerPresence(plan, command);
      return undefined;
    case 'workerLost':
      planWorkerLost(plan, command);
      return undefined;
    case 'unsubscribe':
      planUnsubscribe(plan, command);
      return undefined;
    case 'started':
      planStarted(plan, command);
      return undefined;
    case 'completed':
      planCompleted(plan, command);
      return undefined;
    case 'failed':
      planFailed(plan, command);
      return undefined;
    case 'cancel':
      return planCancel(plan, command);
    case 'cancelSent':
      planCancelSent(plan, command);
      return undefined;
    case 'returnUnsent':
      planReturnUnsent(plan, command);
      return undefined;
    case 'reassignUnstarted':
      planReassignUnstarted(plan, command);
      return undefined;
    case 'refreshTimeout':
      return planRefreshTimeout(plan, command);
    case 'releaseSlot':
      planReleaseSlot(plan, command);
      return undefined;
    case 'tick':
      planTick(plan);
      return undefined;
  }
}
