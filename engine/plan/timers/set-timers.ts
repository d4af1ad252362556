import { HatchetError } from '../../base/errors.ts';
import type { Plan } from '../state/plan.ts';
import type { CronTimer } from '../state/shard-state.ts';
import type { Timer } from './timer-heap.ts';

/** The timers that were there, and were changed. */
export interface PutTimersReply {
  ids: readonly string[];
}

export function setCron(plan: Plan, cron: CronTimer): void {
  const { state } = plan;
  const before = state.crons.get(cron.id);
  state.addCron(cron);
  state.undo.record(() => {
    if (before === undefined) state.crons.delete(cron.id);
    else state.addCron(before);
  });
}

export function dropCron(plan: Plan, id: string): void {
  const { state } = plan;
  const before = state.crons.get(id);
  if (before === undefined) return;
  state.crons.delete(id);
  state.undo.record(() => state.addCron(before));
}

export function setSchedule(plan: Plan, schedule: Timer): void {
  const { state } = plan;
  const before = state.schedules.get(schedule.id);
  state.addSchedule(schedule);
  state.undo.record(() => {
    if (before === undefined) state.schedules.delete(schedule.id);
    else state.addSchedule(before);
  });
}

export function dropSchedule(plan: Plan, id: string): void {
  const { state } = plan;
  const before = state.schedules.get(id);
  if (before === undefined) return;
  state.schedules.delete(id);
  state.undo.record(() => state.addSchedule(before));
}

export function ownCron(plan: Plan, tenantId: string, id: string): CronTimer {
  const cron = plan.state.crons.get(id);
  if (cron === undefined || cron.tenantId !== tenantId)
    throw new HatchetError('UNKNOWN_TIMER', `there is no cron ${id}`, { remedy: 'Check the id.' });
  return cron;
}

export function checkWorkflow(plan: Plan, tenantId: string, workflowId: string): void {
  const known = [...plan.state.latest.values()].some(
    (version) => version.workflowId === workflowId && version.tenantId === tenantId,
  );
  if (!known)
    throw new HatchetError('UNKNOWN_WORKFLOW', `there is no workflow ${workflowId}`, { remedy: 'Check the id.' });
}
