import { HatchetError } from '../../base/errors.ts';
import type {
  DeleteTimersCommand,
  FireTimerCommand,
  PutCronCommand,
  PutSchedulesCommand,
  PutTimersReply,
  RescheduleCommand,
  SetCronEnabledCommand,
} from './command.ts';
import type { Plan } from '../state/plan.ts';
import type { CronTimer } from '../state/shard-state.ts';
import type { Timer } from '../timers/timer-heap.ts';
import { isKnownRun, startRun } from './trigger.ts';

export function planPutCron(plan: Plan, command: PutCronCommand): void {
  const { cron } = command;
  const { state } = plan;
  checkWorkflow(plan, cron.tenantId, cron.workflowId);
  const taken = [...state.crons.values()].find(
    (each) => each.workflowId === cron.workflowId && each.name === cron.name && each.id !== cron.id,
  );
  if (taken !== undefined)
    throw new HatchetError('INVALID_ARGUMENT', `the workflow has a cron named ${JSON.stringify(cron.name)} already`, {
      remedy: 'Choose another name, or delete the old one.',
    });
  setCron(plan, {
    kind: 'cron',
    id: cron.id,
    tenantId: cron.tenantId,
    workflowId: cron.workflowId,
    dueUs: cron.nextUs,
    name: cron.name,
    expression: cron.expression,
    zone: cron.zone,
    catchUp: cron.catchUp,
    enabled: cron.enabled,
    isDeclared: cron.isDeclared,
    priority: cron.priority,
    lastUs: null,
    lastRunId: null,
    lastError: null,
  });
  plan.changes.crons.push(cron);
}

export function planSetCronEnabled(plan: Plan, command: SetCronEnabledCommand): void {
  const cron = ownCron(plan, command.tenantId, command.cronId);
  setCron(plan, { ...cron, enabled: command.enabled, dueUs: command.nextUs, lastError: null });
  plan.changes.cronUpdates.push({
    id: cron.id,
    nextUs: command.nextUs,
    enabled: command.enabled,
    lastError: null,
    lastUs: cron.lastUs,
    lastRunId: cron.lastRunId,
  });
}

export function planPutSchedules(plan: Plan, command: PutSchedulesCommand): void {
  for (const schedule of command.schedules) {
    checkWorkflow(plan, schedule.tenantId, schedule.workflowId);
    const { id, tenantId, workflowId, dueUs } = schedule;
    setSchedule(plan, { kind: 'schedule', id, tenantId, workflowId, dueUs });
    plan.changes.schedules.push(schedule);
  }
}

/** Unknown ones, and those that have run, are left out of the answer. */
export function planReschedule(plan: Plan, command: RescheduleCommand): PutTimersReply {
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

export function planDeleteTimers(plan: Plan, command: DeleteTimersCommand): PutTimersReply {
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

/**
 * A timer's time has come: its run and its next tick in one transaction. The due time is the fence: a timer that was moved,
 * switched off or fired since then does nothing, however often this is tried.
 */
export function planFireTimer(plan: Plan, command: FireTimerCommand): void {
  const { state, changes } = plan;
  const { timer, run } = command;
  if (!state.isCurrentTimer(timer)) return;
  const collision =
    run === null || isKnownRun(plan, command.existing, run.runId) ? undefined : startRun(plan, timer.tenantId, run);
  const made = collision === undefined ? run : null;
  const error =
    collision === undefined ? command.error : `its idempotency key is held by run ${collision.existingRunId}`;
  if (timer.kind === 'schedule') {
    dropSchedule(plan, timer.id);
    changes.scheduleUpdates.push({ id: timer.id, dueUs: timer.dueUs, runId: made?.runId ?? null, error });
    return;
  }
  const cron = state.crons.get(timer.id);
  if (cron === undefined) return;
  const last =
    made === null ? { lastUs: cron.lastUs, lastRunId: cron.lastRunId } : { lastUs: timer.dueUs, lastRunId: made.runId };
  setCron(plan, { ...cron, dueUs: command.nextUs, lastError: error, ...last });
  changes.cronUpdates.push({ id: cron.id, nextUs: command.nextUs, enabled: cron.enabled, lastError: error, ...last });
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

function setSchedule(plan: Plan, schedule: Timer): void {
  const { state } = plan;
  const before = state.schedules.get(schedule.id);
  state.addSchedule(schedule);
  state.undo.record(() => {
    if (before === undefined) state.schedules.delete(schedule.id);
    else state.addSchedule(before);
  });
}

function dropSchedule(plan: Plan, id: string): void {
  const { state } = plan;
  const before = state.schedules.get(id);
  if (before === undefined) return;
  state.schedules.delete(id);
  state.undo.record(() => state.addSchedule(before));
}

function ownCron(plan: Plan, tenantId: string, id: string): CronTimer {
  const cron = plan.state.crons.get(id);
  if (cron === undefined || cron.tenantId !== tenantId)
    throw new HatchetError('UNKNOWN_TIMER', `there is no cron ${id}`, { remedy: 'Check the id.' });
  return cron;
}

function checkWorkflow(plan: Plan, tenantId: string, workflowId: string): void {
  const known = [...plan.state.latest.values()].some(
    (version) => version.workflowId === workflowId && version.tenantId === tenantId,
  );
  if (!known)
    throw new HatchetError('UNKNOWN_WORKFLOW', `there is no workflow ${workflowId}`, { remedy: 'Check the id.' });
}
