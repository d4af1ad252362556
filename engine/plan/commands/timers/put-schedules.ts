import type { ScheduleFields } from '../../../model/stored-rows.ts';
import type { Plan } from '../../state/plan.ts';
import { checkWorkflow, setSchedule } from '../../timers/set-timers.ts';
import type { Facts } from '../loaded-facts.ts';
import { inParts, startsNoRuns, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

/** Runs to start at times of their own. Ids are the engine's: only an uncertain try can have stored them. */
export interface PutSchedulesCommand {
  kind: 'putSchedules';
  tenantId: TenantId;
  schedules: readonly ScheduleFields[];
}

export const putSchedules: Kind<PutSchedulesCommand, void> = {
  makesRowsOf: ({ tenantId }) => tenantId,
  needs: ({ schedules }, { isUncertain }) => (isUncertain ? { scheduleIds: schedules.map(({ id }) => id) } : {}),
  startsRuns: startsNoRuns,
  payloads({ schedules }, visit) {
    for (const { input, metadata } of schedules) {
      visit(input);
      visit(metadata);
    }
  },
  weight: ({ schedules }) => Math.max(1, schedules.length),
  split: {
    into: (command) => inParts(command.schedules, () => 1).map((schedules) => ({ ...command, schedules })),
    join: () => undefined,
  },
  plan: put,
};

function put(plan: Plan, command: PutSchedulesCommand, facts: Facts): void {
  const { tenantId } = command;
  for (const schedule of command.schedules) {
    // One that has run is in no memory any more.
    if (facts.storedIds.has(schedule.id) || plan.state.schedules.has(schedule.id)) continue;
    const { id, workflowId, dueUs } = schedule;
    checkWorkflow(plan, tenantId, workflowId);
    setSchedule(plan, { kind: 'schedule', id, tenantId, workflowId, dueUs });
    plan.changes.schedules.push({ ...schedule, tenantId });
  }
}
