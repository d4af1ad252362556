import { HatchetError } from '../../base/errors.ts';
import type { Plan } from '../state/plan.ts';
import type { CronTimer, ShardState } from '../state/shard-state.ts';
import type { Restore } from '../state/undo-log.ts';
import type { Timer } from './timer-heap.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** The timers that were there, and were changed. */
export interface PutTimersReply {
  ids: readonly string[];
}

/** Their heaps hold on to a timer until it is due: adding the old one again makes it true again. */
const cronBefore: Restore<ShardState, CronTimer | undefined, string> = {
  restore(state, before, id) {
    if (before === undefined) state.crons.delete(id);
    else state.addCron(before);
  },
};
const scheduleBefore: Restore<ShardState, Timer | undefined, string> = {
  restore(state, before, id) {
    if (before === undefined) state.schedules.delete(id);
    else state.addSchedule(before);
  },
};

export function setCron(plan: Plan, cron: CronTimer): void {
  const { state } = plan;
  const before = state.crons.get(cron.id);
  state.addCron(cron);
  state.undo.keep(cronBefore, state, before, cron.id);
}

export function dropCron(plan: Plan, id: string): void {
  const { state } = plan;
  const before = state.crons.get(id);
  if (before === undefined) return;
  state.crons.delete(id);
  state.undo.keep(cronBefore, state, before, id);
}

export function setSchedule(plan: Plan, schedule: Timer): void {
  const { state } = plan;
  const before = state.schedules.get(schedule.id);
  state.addSchedule(schedule);
  state.undo.keep(scheduleBefore, state, before, schedule.id);
}

export function dropSchedule(plan: Plan, id: string): void {
  const { state } = plan;
  const before = state.schedules.get(id);
  if (before === undefined) return;
  state.schedules.delete(id);
  state.undo.keep(scheduleBefore, state, before, id);
}

export function ownCron(plan: Plan, tenantId: TenantId, id: string): CronTimer {
  const cron = plan.state.crons.get(id);
  if (cron === undefined || cron.tenantId !== tenantId)
    throw new HatchetError('UNKNOWN_TIMER', `there is no cron ${id}`, { remedy: 'Check the id.' });
  return cron;
}

export function checkWorkflow(plan: Plan, tenantId: TenantId, workflowId: string): void {
  const known = [...plan.state.latest.values()].some(
    (version) => version.workflowId === workflowId && version.tenantId === tenantId,
  );
  if (!known)
    throw new HatchetError('UNKNOWN_WORKFLOW', `there is no workflow ${workflowId}`, { remedy: 'Check the id.' });
}
