import type { Cron, ScheduledRun } from '../../../sdk/index.ts';
import type { Overview } from '../run-reader.ts';
import type { ScheduleFigures } from '../schedule-rows.ts';
import type { RestClient } from './rest-client.ts';
import type { Rows, WorkerShape, WorkflowShape } from './rest-shapes.ts';
import { timeOf } from './stored-values.ts';
import { workerRow } from './workflow-rows.ts';

const dayMs = 86_400_000;
/** Rows of a list that is shown as a whole. */
const mostRows = 1000;
const mostShown = 200;

interface StatusCount {
  status: string;
  count: number;
}

/** Counts of tasks that were made after a time: those of the last day are what moves. */
export async function readOverview(client: RestClient, since: Date): Promise<Overview> {
  const [counts, workers, workflows, { version }] = await Promise.all([
    client.get<StatusCount[]>('/api/v1/stable/tenants/:tenant/task-metrics', { since: since.toISOString() }),
    readWorkers(client),
    readWorkflows(client),
    client.get<{ version: string }>('/api/v1/version'),
  ]);
  const of = (...statuses: readonly string[]): number =>
    counts.reduce((sum, { status, count }) => (statuses.includes(status) ? sum + count : sum), 0);
  const active = workers.map(workerRow).filter(({ status }) => status === 'ACTIVE');
  const slots = active.flatMap((worker) => worker.slots);
  return {
    engineVersion: version,
    engineStartedAt: null,
    queued: of('QUEUED'),
    running: of('RUNNING'),
    triggered: counts.reduce((sum, { count }) => sum + count, 0),
    finished: of('COMPLETED', 'FAILED', 'CANCELLED'),
    workers: active.length,
    slotsTotal: slots.reduce((sum, { total }) => sum + total, 0),
    slotsUsed: slots.reduce((sum, { used }) => sum + used, 0),
    workflowsRevision: workflows
      .map(({ metadata, isPaused }) => `${metadata.id} ${metadata.updatedAt ?? ''} ${String(isPaused)}`)
      .join('\n'),
  };
}

/** One beginning for a whole stream: counts that only grow give a rate. */
export function overviewSince(nowMs: number): Date {
  return new Date(nowMs - dayMs);
}

export async function readWorkers(client: RestClient): Promise<WorkerShape[]> {
  return (await client.get<Rows<WorkerShape>>('/api/v1/tenants/:tenant/worker')).rows ?? [];
}

export async function readWorkflows(client: RestClient): Promise<WorkflowShape[]> {
  return (await client.get<Rows<WorkflowShape>>('/api/v1/tenants/:tenant/workflows', { limit: mostRows })).rows ?? [];
}

/** Crons, and scheduled runs that are to come, the soonest first. When a cron comes next REST does not say. */
export async function readSchedules(client: RestClient): Promise<ScheduleFigures> {
  const [{ rows: crons = [] }, { rows: scheduled = [] }] = await Promise.all([
    client.get<Rows<Cron & { method?: string; timezone?: string; catchUp?: string }>>(
      '/api/v1/tenants/:tenant/workflows/crons',
      { limit: mostRows },
    ),
    client.get<Rows<ScheduledRun>>('/api/v1/tenants/:tenant/workflows/scheduled', {
      limit: mostRows,
      statuses: ['SCHEDULED'],
    }),
  ]);
  const due = scheduled
    .filter((run) => run.workflowRunId === undefined || run.workflowRunId === '')
    .map((run) => ({ scheduleId: run.metadata.id, workflow: run.workflowName, dueAt: timeOf(run.triggerAt) }))
    .sort((a, b) => Date.parse(a.dueAt ?? '') - Date.parse(b.dueAt ?? ''));
  return {
    crons: crons.slice(0, mostShown).map((cron) => ({
      cronId: cron.metadata.id,
      name: cron.name ?? '',
      workflow: cron.workflowName,
      expression: cron.cron,
      timezone: cron.timezone ?? 'UTC',
      catchUp: cron.catchUp ?? '',
      enabled: cron.enabled,
      isDeclared: cron.method === 'DEFAULT',
      nextAt: undefined,
      lastAt: null,
      lastRunId: null,
      lastError: null,
    })),
    schedules: due.slice(0, mostShown),
    total: { crons: crons.length, schedules: due.length },
  };
}
