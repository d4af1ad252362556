import type { Hono } from 'hono';
import { HatchetError } from '../errors.ts';
import { maxPageBytes } from '../model/limits.ts';
import { newId, parseUuid } from '../model/uuid.ts';
import { readWithin } from '../monitor/answers-in-flight.ts';
import { noPayloads, readRunDetails, type RunDetail } from '../monitor/run-detail.ts';
import { RunStatus } from '../model/status.ts';
import { listSchedules, type StoredSchedule } from '../monitor/timer-reads.ts';
import { pageSize } from '../monitor/within-bytes.ts';
import { answer } from './answer.ts';
import { leftOutFields, madeAt, pagination, resourceMeta, storedJson } from './contract.ts';
import type { RestDeps, RestEnv } from './deps.ts';
import { isObject, objectBody, parseDate, stringList, uuidOf } from './request-values.ts';
import { anyTimer, timerInput, timerQuery } from './timer-query.ts';
import { workflowOf } from './workflow-of.ts';

const base = '/api/v1/tenants/:tenant/workflows/scheduled';
const mostBulk = 500;

/** Runs at a time. */
export function registerScheduleRoutes(app: Hono<RestEnv>, deps: RestDeps): void {
  const messages = async (rows: readonly StoredSchedule[], tenantId: string) => {
    const runs = await readRunDetails(deps.pool, tenantId, rows.flatMap((row) => (row.runId === null ? [] : [row.runId])), noPayloads);
    const byId = new Map(runs.map((run) => [run.id, run]));
    return rows.map((row) => scheduleMessage(row, tenantId, byId.get(row.runId ?? '')));
  };
  const one = (tenantId: string, given: string) =>
    readWithin(maxPageBytes, async (payloadBytes) => {
      const id = parseUuid(given);
      const rows = id === undefined ? [] : await listSchedules(deps.pool, { ...anyTimer, tenantId, id, payloadBytes });
      const [message] = await messages(rows, tenantId);
      if (message === undefined) throw unknown(given);
      return { value: message, ...pageSize(rows) };
    });
  const move = async (tenantId: string, updates: readonly { id: string; dueUs: number }[]) => new Set((await deps.owner.submit(tenantId, { kind: 'reschedule', tenantId, updates })).ids);
  const remove = async (tenantId: string, ids: readonly string[]) => new Set((await deps.owner.submit(tenantId, { kind: 'deleteTimers', tenantId, timers: 'schedule', ids })).ids);

  app.get(base, async (context) => {
    const { tenantId } = context.get('caller');
    const query = timerQuery(context.req, tenantId);
    const page = await readWithin(maxPageBytes, async (payloadBytes) => {
      const rows = await listSchedules(deps.pool, { ...query, limit: query.limit + 1, payloadBytes });
      return { value: { pagination: pagination({ ...query, more: rows.length > query.limit }), rows: await messages(rows.slice(0, query.limit), tenantId) }, ...pageSize(rows) };
    });
    return answer(context, page);
  });
  app.post('/api/v1/tenants/:tenant/workflows/:workflow/scheduled', async (context) => {
    const { tenantId } = context.get('caller');
    const version = workflowOf(deps.owner, tenantId, context.req.param('workflow'));
    const body = await objectBody(context.req);
    const schedule = { id: newId(), tenantId, workflowId: version.workflowId, dueUs: triggerAt(body['triggerAt']), parentTaskId: null, ...timerInput(body) };
    await deps.owner.submit(tenantId, { kind: 'putSchedules', schedules: [schedule] });
    return answer(context, await one(tenantId, schedule.id));
  });
  app.post(`${base}/bulk-delete`, async (context) => {
    const { tenantId } = context.get('caller');
    const body = await objectBody(context.req);
    const ids = stringList('scheduledWorkflowRunIds', body['scheduledWorkflowRunIds']).map((id) => uuidOf('scheduledWorkflowRunIds', id));
    if (ids.length > mostBulk) throw new HatchetError('INVALID_ARGUMENT', `${ids.length} ids are given`, { remedy: `Delete at most ${mostBulk} a call.` });
    const selected = isObject(body['filter']) ? await selectedIds(deps, tenantId, body['filter']) : [];
    const all = [...new Set([...ids, ...selected])];
    const deleted = await remove(tenantId, all);
    return context.json({ deletedIds: [...deleted], errors: ids.filter((id) => !deleted.has(id)).map((id) => ({ id, error: 'there is no such scheduled run that has not run yet' })) });
  });
  app.post(`${base}/bulk-update`, async (context) => {
    const { tenantId } = context.get('caller');
    const { updates } = await objectBody(context.req);
    if (!Array.isArray(updates) || updates.length > mostBulk || !updates.every(isObject)) throw new HatchetError('INVALID_ARGUMENT', `updates is not a list of up to ${mostBulk} objects`, { remedy: 'Send {"updates": [{"id": …, "triggerAt": …}]}.' });
    const read = updates.map((update) => ({ id: uuidOf('id', String(update['id'])), dueUs: triggerAt(update['triggerAt']) }));
    const moved = await move(tenantId, read);
    return context.json({ updatedIds: [...moved], errors: read.filter(({ id }) => !moved.has(id)).map(({ id }) => ({ id, error: 'there is no such scheduled run that has not run yet' })) });
  });
  app.get(`${base}/:schedule`, async (context) => answer(context, await one(context.get('caller').tenantId, context.req.param('schedule'))));
  app.patch(`${base}/:schedule`, async (context) => {
    const { tenantId } = context.get('caller');
    const given = context.req.param('schedule');
    const { triggerAt: at } = await objectBody(context.req);
    const moved = await move(tenantId, [{ id: parseUuid(given) ?? '', dueUs: triggerAt(at) }]);
    if (moved.size === 0) throw unknown(given);
    return answer(context, await one(tenantId, given));
  });
  app.delete(`${base}/:schedule`, async (context) => {
    const given = context.req.param('schedule');
    if ((await remove(context.get('caller').tenantId, [parseUuid(given) ?? ''])).size === 0) throw unknown(given);
    return context.body(null, 204);
  });
}

async function selectedIds(deps: RestDeps, tenantId: string, filter: Record<string, unknown>): Promise<string[]> {
  const { workflowId } = filter;
  const pairs = stringList('additionalMetadata', filter['additionalMetadata']).map((pair) => pair.split(/:(.*)/s));
  if (workflowId === undefined && pairs.length === 0) throw new HatchetError('INVALID_ARGUMENT', 'the filter selects everything', { remedy: 'Give a workflowId or additionalMetadata.' });
  const metadata = pairs.length === 0 ? null : JSON.stringify(Object.fromEntries(pairs.map(([key = '', value = '']) => [key, value])));
  const rows = await listSchedules(deps.pool, { tenantId, id: null, workflowId: typeof workflowId === 'string' ? uuidOf('workflowId', workflowId) : null, workflowName: null, name: null, metadata, offset: 0, limit: 10_000, payloadBytes: 0 });
  return rows.flatMap((row) => (row.runId === null && row.error === null ? [row.id] : []));
}

/** @throws HatchetError INVALID_ARGUMENT */
function triggerAt(value: unknown): number {
  if (typeof value !== 'string') throw new HatchetError('INVALID_ARGUMENT', 'triggerAt is missing', { remedy: 'Give a time such as 2026-01-31T12:00:00Z.' });
  return parseDate('triggerAt', value).getTime() * 1000;
}

function unknown(given: string): HatchetError {
  return new HatchetError('UNKNOWN_TIMER', `there is no scheduled run ${JSON.stringify(given)}`, { remedy: 'Check the id; one that has run is a run by now.' });
}

const runStatuses: Record<RunStatus, string> = {
  [RunStatus.Queued]: 'QUEUED',
  [RunStatus.Running]: 'RUNNING',
  [RunStatus.Completed]: 'SUCCEEDED',
  [RunStatus.Failed]: 'FAILED',
  [RunStatus.Cancelled]: 'CANCELLED',
  [RunStatus.Evicted]: 'RUNNING',
};

function scheduleMessage(schedule: StoredSchedule, tenantId: string, run: RunDetail | undefined) {
  const { id, workflowId, workflowName, versionId, dueUs, input, metadata, priority, runId, error } = schedule;
  return {
    metadata: resourceMeta(id),
    tenantId,
    workflowVersionId: versionId,
    workflowId,
    workflowName,
    triggerAt: new Date(Number(dueUs) / 1000).toISOString(),
    input: storedJson(input),
    additionalMetadata: storedJson(metadata),
    workflowRunCreatedAt: runId === null ? undefined : madeAt(runId),
    workflowRunName: runId === null ? undefined : workflowName,
    workflowRunStatus: run === undefined ? undefined : runStatuses[run.status],
    workflowRunId: runId ?? undefined,
    method: 'API',
    priority: priority ?? undefined,
    error: error ?? undefined,
    leftOut: leftOutFields({ input: schedule.payloadLeftOut, additionalMetadata: schedule.metadataLeftOut }),
  };
}
