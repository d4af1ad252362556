import type { ScheduleRow } from '../../../model/rows.ts';
import type { Plan } from '../../state/plan.ts';
import { checkWorkflow, setSchedule } from '../../timers/set-timers.ts';
import { needsNothing, startsNoRuns, type Kind } from '../kind.ts';

export interface PutSchedulesCommand {
  kind: 'putSchedules';
  schedules: readonly ScheduleRow[];
}

export const putSchedules: Kind<PutSchedulesCommand, void> = {
  makesRowsOf: ({ schedules }) => schedules[0]?.tenantId,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads({ schedules }, visit) {
    for (const { input, metadata } of schedules) {
      visit(input);
      visit(metadata);
    }
  },
  weight: ({ schedules }) => Math.max(1, schedules.length),
  plan: put,
};

function put(plan: Plan, command: PutSchedulesCommand): void {
  for (const schedule of command.schedules) {
    checkWorkflow(plan, schedule.tenantId, schedule.workflowId);
    const { id, tenantId, workflowId, dueUs } = schedule;
    setSchedule(plan, { kind: 'schedule', id, tenantId, workflowId, dueUs });
    plan.changes.schedules.push(schedule);
  }
}
