import type { ListSchedulesResponse } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';

export interface CronRow {
  cronId: string;
  name: string;
  workflow: string;
  expression: string;
  timezone: string;
  catchUp: string;
  enabled: boolean;
  /** By its workflow; the others were made by the API. */
  isDeclared: boolean;
  /** Null for one that is switched off or never comes due again; undefined where the engine tells neither this nor its last tick. */
  nextAt: string | null | undefined;
  /** The last tick that made a run, and that run. */
  lastAt: string | null;
  lastRunId: string | null;
  /** Why the last tick made no run. */
  lastError: string | null;
}

export interface ScheduleRow {
  scheduleId: string;
  workflow: string;
  dueAt: string | null;
}

/** Each list is bounded, the soonest first; `total` counts all. */
export interface ScheduleFigures {
  crons: readonly CronRow[];
  schedules: readonly ScheduleRow[];
  total: { crons: number; schedules: number };
}

export function scheduleFigures(message: ListSchedulesResponse): ScheduleFigures {
  return {
    crons: message.crons.map((row) => ({
      cronId: row.cronId,
      name: row.name,
      workflow: row.workflowName,
      expression: row.expression,
      timezone: row.timezone,
      catchUp: row.catchUp,
      enabled: row.enabled,
      isDeclared: row.isDeclared,
      nextAt: row.nextAt?.toISOString() ?? null,
      lastAt: row.lastAt?.toISOString() ?? null,
      lastRunId: row.lastRunId ?? null,
      lastError: row.lastError ?? null,
    })),
    schedules: message.schedules.map((row) => ({
      scheduleId: row.scheduleId,
      workflow: row.workflowName,
      dueAt: row.dueAt?.toISOString() ?? null,
    })),
    total: { crons: message.cronCount, schedules: message.scheduleCount },
  };
}
