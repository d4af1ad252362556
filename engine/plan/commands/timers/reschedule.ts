import type { Plan } from '../../state/plan.ts';
import { setSchedule, type PutTimersReply } from '../../timers/set-timers.ts';
import { hasNoPayloads, inParts, makesNoRows, needsNothing, startsNoRuns, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

export interface RescheduleCommand {
  kind: 'reschedule';
  tenantId: TenantId;
  updates: readonly { id: string; dueUs: number }[];
}

export const reschedule: Kind<RescheduleCommand, PutTimersReply> = {
  makesRowsOf: makesNoRows,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: ({ updates }) => Math.max(1, updates.length),
  split: {
    into: (command) => inParts(command.updates, () => 1).map((updates) => ({ ...command, updates })),
    join: (replies) => ({ ids: replies.flatMap(({ ids }) => ids) }),
  },
  plan: reset,
};

/** Unknown ones, and those that have run, are left out of the answer. */
function reset(plan: Plan, command: RescheduleCommand): PutTimersReply {
  const done: string[] = [];
  for (const { id, dueUs } of command.updates) {
    const schedule = plan.state.schedules.get(id);
    if (schedule === undefined || schedule.tenantId !== command.tenantId) continue;
    setSchedule(plan, { ...schedule, dueUs });
    plan.changes.scheduleUpdates.push({ id, dueUs, runId: null, error: null });
    done.push(id);
  }
  return { ids: done };
}
