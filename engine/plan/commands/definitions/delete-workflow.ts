import type { TenantId } from '../../../model/ids/tenant-id.ts';
import type { Plan } from '../../state/plan.ts';
import { dropCron, dropSchedule } from '../../timers/set-timers.ts';
import { hasNoPayloads, makesNoRows, needsNothing, startsNoRuns, type Kind } from '../command-kind.ts';
import { changeWorkflow, ownWorkflow } from './change-workflow.ts';

/**
 * Nothing new starts by the workflow any more: its name is unknown, its crons, scheduled runs and filters are gone, and events do not
 * start it. Its runs stay as they are, and those that have not ended go on. Registered again, it goes on with its next version.
 */
export interface DeleteWorkflowCommand {
  kind: 'deleteWorkflow';
  tenantId: TenantId;
  workflowId: string;
}

/** As much as a transaction takes: its timers may be many, and how many is not known before it is planned. */
const weightOfMany = 500;

export const deleteWorkflow: Kind<DeleteWorkflowCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: () => weightOfMany,
  split: undefined,
  plan: remove,
};

function remove(plan: Plan, { tenantId, workflowId }: DeleteWorkflowCommand): void {
  const { state, changes } = plan;
  const workflow = ownWorkflow(plan, tenantId, workflowId);
  for (const cron of [...state.crons.values()].filter((each) => each.workflowId === workflowId)) {
    dropCron(plan, cron.id);
    changes.cronDeletes.push(cron.id);
  }
  for (const schedule of [...state.schedules.values()].filter((each) => each.workflowId === workflowId)) {
    dropSchedule(plan, schedule.id);
    changes.scheduleDeletes.push(schedule.id);
  }
  const filters = state.filtersOf(workflowId);
  for (const id of filters.keys()) {
    state.undo.remove(filters, id);
    changes.filterDeletes.push(id);
  }
  const { paused, pauseRules } = workflow;
  changeWorkflow(plan, workflow, { paused, pauseRules, deleted: true });
  state.latest.withdraw(workflowId, state.undo);
}
