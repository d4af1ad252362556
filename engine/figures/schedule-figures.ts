import { firstOf } from '../model/first-of.ts';
import type { CronTimer, ShardState } from '../plan/state/shard-state.ts';
import type { Timer } from '../plan/timers/timer-heap.ts';
import type {
  CronSummary,
  ListSchedulesResponse,
  ScheduleSummary,
} from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { workflowNames } from './queue-figures.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

/** Of each list; a screen shows fewer. */
const listed = 200;

const none: ListSchedulesResponse = { crons: [], schedules: [], cronCount: 0, scheduleCount: 0 };

/** Crons and the scheduled runs that are to come, from the owner's memory. */
export function scheduleFigures(state: ShardState | undefined, tenantId: TenantId): ListSchedulesResponse {
  if (state === undefined) return none;
  const names = workflowNames(state, tenantId);
  const crons = firstOf(ofTenant(state.crons.values(), tenantId), listed, byTick);
  const schedules = firstOf(ofTenant(state.schedules.values(), tenantId), listed, byDue);
  return {
    crons: crons.rows.map((cron) => cronMessage(cron, names)),
    schedules: schedules.rows.map((schedule) => scheduleMessage(schedule, names)),
    cronCount: crons.total,
    scheduleCount: schedules.total,
  };
}

function* ofTenant<T extends Timer>(timers: Iterable<T>, tenantId: TenantId): Generator<T> {
  for (const timer of timers) if (timer.tenantId === tenantId) yield timer;
}

function byTick(a: CronTimer, b: CronTimer): number {
  return Number(b.enabled) - Number(a.enabled) || byDue(a, b);
}

function byDue(a: Timer, b: Timer): number {
  return a.dueUs - b.dueUs || (a.id < b.id ? -1 : 1);
}

function cronMessage(cron: CronTimer, names: ReadonlyMap<string, string>): CronSummary {
  return {
    cronId: cron.id,
    name: cron.name,
    workflowId: cron.workflowId,
    workflowName: names.get(cron.workflowId) ?? '',
    expression: cron.expression,
    timezone: cron.zone,
    catchUp: cron.catchUp,
    enabled: cron.enabled,
    isDeclared: cron.isDeclared,
    nextAt: cron.enabled ? dateOf(cron.dueUs) : undefined,
    lastAt: cron.lastUs === null ? undefined : dateOf(cron.lastUs),
    lastRunId: cron.lastRunId ?? undefined,
    lastError: cron.lastError ?? undefined,
  };
}

function scheduleMessage(schedule: Timer, names: ReadonlyMap<string, string>): ScheduleSummary {
  return {
    scheduleId: schedule.id,
    workflowId: schedule.workflowId,
    workflowName: names.get(schedule.workflowId) ?? '',
    dueAt: dateOf(schedule.dueUs),
  };
}

/** A tick that never comes is stored as the largest number. */
function dateOf(us: number): Date | undefined {
  return us >= Number.MAX_SAFE_INTEGER ? undefined : new Date(us / 1000);
}
