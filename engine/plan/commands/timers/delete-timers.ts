import type { Plan } from '../../state/plan.ts';
import { dropCron, dropSchedule, type PutTimersReply } from '../../timers/set-timers.ts';
import { hasNoPayloads, inParts, makesNoRows, needsNothing, startsNoRuns, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

export interface DeleteTimersCommand {
  kind: 'deleteTimers';
  tenantId: TenantId;
  timers: 'cron' | 'schedule';
  ids: readonly string[];
}

export const deleteTimers: Kind<DeleteTimersCommand, PutTimersReply> = {
  makesRowsOf: makesNoRows,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: ({ ids }) => Math.max(1, ids.length),
  split: {
    into: (command) => inParts(command.ids, () => 1).map((ids) => ({ ...command, ids })),
    join: (replies) => ({ ids: replies.flatMap(({ ids }) => ids) }),
  },
  plan: remove,
};

function remove(plan: Plan, command: DeleteTimersCommand): PutTimersReply {
  const { state, changes } = plan;
  const done: string[] = [];
  for (const id of command.ids) {
    const timer = command.timers === 'cron' ? state.crons.get(id) : state.schedules.get(id);
    if (timer === undefined || timer.tenantId !== command.tenantId) continue;
    if (command.timers === 'cron') dropCron(plan, id);
    else dropSchedule(plan, id);
    (command.timers === 'cron' ? changes.cronDeletes : changes.scheduleDeletes).push(id);
    done.push(id);
  }
  return { ids: done };
}
