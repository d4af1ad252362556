import type { Schedule, StartedRun } from '../../../proto/gen/rest/answers.ts';
import type { Caller } from '../../edge/access/caller.ts';
import { id, knownId } from '../../edge/parse/id.ts';
import { invalid } from '../../edge/parse/invalid.ts';
import { dateText, moment } from '../../edge/parse/time.ts';
import { HatchetError } from '../../base/errors.ts';
import { markChecked, type Checked } from '../../model/checked.ts';
import { maxPageBytes } from '../../model/limits.ts';
import type { ScheduleFields } from '../../model/stored-rows.ts';
import { newId } from '../../model/ids/uuid.ts';
import { readWithin } from '../../monitor/budget/answers-in-flight.ts';
import { readRunStatuses } from '../../monitor/runs/run-list.ts';
import { RunStatus } from '../../model/task/status.ts';
import { listSchedules, type StoredSchedule } from '../../monitor/timer-reads.ts';
import { pageSize } from '../../monitor/budget/within-bytes.ts';
import { answer } from '../answer-in-pieces.ts';
import { leftOutFields, madeAt, pagination, resourceMeta, shownPriority, storedJson } from '../message-fields.ts';
import type { RestDeps } from '../deps.ts';
import { isObject } from '../../model/payload/is-object.ts';
import { bodyWithPayloads, idMember, objectBody, stringList, textMember } from '../request-values.ts';
import type { Router } from '../gated-router.ts';
import { fireNow } from './run-now.ts';
import { anyTimer, timerInput, timerQuery } from './timer-query.ts';
import { workflowOf } from '../workflows/workflow-of.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

const base = '/api/v1/tenants/:tenant/workflows/scheduled';
const mostBulk = 500;

/** Runs at a time. */
export function registerScheduleRoutes(router: Router, deps: RestDeps): void {
  const messages = async (rows: readonly StoredSchedule[], tenantId: TenantId) => {
    const statuses = await readRunStatuses(
      deps.pool,
      tenantId,
      rows.flatMap((row) => (row.runId === null ? [] : [row.runId])),
    );
    return rows.map((row) => scheduleMessage(row, tenantId, statuses.get(row.runId ?? '')));
  };
  const one = (tenantId: TenantId, scheduleId: Checked<string>) =>
    readWithin(maxPageBytes, async (payloadBytes) => {
      const rows = await listSchedules(deps.pool, { ...anyTimer, tenantId, id: scheduleId, payloadBytes });
      const [message] = await messages(rows, tenantId);
      if (message === undefined) throw unknown(scheduleId);
      return { value: message, ...pageSize(rows) };
    });
  const move = async (caller: Caller, updates: readonly { id: Checked<string>; dueUs: Checked<number> }[]) => {
    const { tenantId } = caller;
    const moved = new Set((await deps.owner.submit({ kind: 'reschedule', tenantId, updates })).ids);
    caller.note(...moved);
    return moved;
  };
  const remove = async (caller: Caller, ids: readonly Checked<string>[]) => {
    const { tenantId } = caller;
    const removed = new Set((await deps.owner.submit({ kind: 'deleteTimers', tenantId, timers: 'schedule', ids })).ids);
    caller.note(...removed);
    return removed;
  };

  router.get(base, async (context) => {
    const { tenantId } = context.get('caller');
    const query = timerQuery(context.req, tenantId);
    const page = await readWithin(maxPageBytes, async (payloadBytes) => {
      const rows = await listSchedules(deps.pool, { ...query, limit: query.limit + 1, payloadBytes });
      return {
        value: {
          pagination: pagination({ ...query, more: rows.length > query.limit }),
          rows: await messages(rows.slice(0, query.limit), tenantId),
        },
        ...pageSize(rows),
      };
    });
    return answer(context, page);
  });
  router.post('/api/v1/tenants/:tenant/workflows/:workflow/scheduled', async (context) => {
    const caller = context.get('caller');
    const { tenantId } = caller;
    const version = await workflowOf(deps.owner, tenantId, context.req.param('workflow'));
    const body = await bodyWithPayloads(context, deps.owner.payloads);
    const scheduleId = newId();
    const schedule: Checked<ScheduleFields> = markChecked({
      id: scheduleId,
      workflowId: version.workflowId,
      dueUs: triggerAt(body['triggerAt']),
      parentTaskId: null,
      ...(await timerInput(body, tenantId, deps.owner.payloads)),
    });
    caller.note(scheduleId);
    await deps.owner.submit({ kind: 'putSchedules', tenantId, schedules: [schedule] });
    return answer(context, await one(tenantId, scheduleId));
  });
  router.post(`${base}/bulk-delete`, async (context) => {
    const caller = context.get('caller');
    const body = await objectBody(context.req);
    const ids = stringList('scheduledWorkflowRunIds', body['scheduledWorkflowRunIds'], mostBulk).map((each) =>
      id(each, 'one of scheduledWorkflowRunIds'),
    );
    const selected = isObject(body['filter']) ? await selectedIds(deps, caller.tenantId, body['filter']) : [];
    const deleted = await remove(caller, [...new Set([...ids, ...selected])]);
    return context.json({
      deletedIds: [...deleted],
      errors: ids
        .filter((each) => !deleted.has(each))
        .map((each) => ({ id: each, error: 'there is no such scheduled run that has not run yet' })),
    });
  });
  router.post(`${base}/bulk-update`, async (context) => {
    const { updates } = await objectBody(context.req);
    if (!Array.isArray(updates) || updates.length > mostBulk || !updates.every(isObject))
      throw invalid(
        `updates is not a list of up to ${mostBulk} objects`,
        'Send {"updates": [{"id": …, "triggerAt": …}]}.',
      );
    const read = updates.map((update) => ({ id: idMember(update['id'], 'id'), dueUs: triggerAt(update['triggerAt']) }));
    const moved = await move(context.get('caller'), read);
    return context.json({
      updatedIds: [...moved],
      errors: read
        .filter((each) => !moved.has(each.id))
        .map((each) => ({ id: each.id, error: 'there is no such scheduled run that has not run yet' })),
    });
  });
  router.get(`${base}/:schedule`, async (context) =>
    answer(context, await one(context.get('caller').tenantId, knownId(context.req.param('schedule'), 'UNKNOWN_TIMER'))),
  );
  router.post(`${base}/:schedule`, async (context) => {
    const caller = context.get('caller');
    const { tenantId } = caller;
    const scheduleId = knownId(context.req.param('schedule'), 'UNKNOWN_TIMER');
    const stored = async () =>
      (await listSchedules(deps.pool, { ...anyTimer, tenantId, id: scheduleId, payloadBytes: 0 }))[0];
    const before = await stored();
    if (before === undefined || before.runId !== null || before.error !== null) throw unknown(scheduleId);
    const runId = await fireNow(deps, tenantId, before);
    const after = await stored();
    if (after?.error !== null && after?.error !== undefined)
      throw new HatchetError('RUN_BUSY', `the scheduled run ${scheduleId} has started no run: ${after.error}`, {
        remedy: 'Schedule it again once it can start.',
      });
    if (runId === undefined || after?.runId !== runId) throw unknown(scheduleId);
    caller.note(scheduleId, runId);
    return context.json({ externalId: runId } satisfies StartedRun);
  });
  router.patch(`${base}/:schedule`, async (context) => {
    const caller = context.get('caller');
    const scheduleId = knownId(context.req.param('schedule'), 'UNKNOWN_TIMER');
    const { triggerAt: at } = await objectBody(context.req);
    if ((await move(caller, [{ id: scheduleId, dueUs: triggerAt(at) }])).size === 0) throw unknown(scheduleId);
    return answer(context, await one(caller.tenantId, scheduleId));
  });
  router.delete(`${base}/:schedule`, async (context) => {
    const scheduleId = knownId(context.req.param('schedule'), 'UNKNOWN_TIMER');
    if ((await remove(context.get('caller'), [scheduleId])).size === 0) throw unknown(scheduleId);
    return context.body(null, 204);
  });
}

async function selectedIds(
  deps: RestDeps,
  tenantId: TenantId,
  filter: Record<string, unknown>,
): Promise<Checked<string>[]> {
  const { workflowId } = filter;
  const pairs = stringList('additionalMetadata', filter['additionalMetadata'], 100).map((pair) => pair.split(/:(.*)/s));
  if (workflowId === undefined && pairs.length === 0)
    throw invalid('the filter selects everything', 'Give a workflowId or additionalMetadata.');
  const metadata =
    pairs.length === 0 ? null : JSON.stringify(Object.fromEntries(pairs.map(([key = '', value = '']) => [key, value])));
  const rows = await listSchedules(deps.pool, {
    tenantId,
    id: null,
    workflowId: workflowId === undefined || workflowId === null ? null : idMember(workflowId, 'workflowId'),
    workflowName: null,
    name: null,
    metadata,
    offset: 0,
    limit: 10_000,
    payloadBytes: 0,
  });
  return rows.flatMap((row) => (row.runId === null && row.error === null ? [markChecked(row.id)] : []));
}

/** @throws HatchetError INVALID_ARGUMENT */
function triggerAt(value: unknown): Checked<number> {
  return markChecked(moment(dateText(textMember(value, 'triggerAt'), 'triggerAt'), 'triggerAt') * 1000);
}

function unknown(scheduleId: string): HatchetError {
  return new HatchetError('UNKNOWN_TIMER', `there is no scheduled run ${scheduleId}`, {
    remedy: 'Check the id; one that has run is a run by now.',
  });
}

const runStatuses: Record<RunStatus, NonNullable<Schedule['workflowRunStatus']>> = {
  [RunStatus.Queued]: 'QUEUED',
  [RunStatus.Running]: 'RUNNING',
  [RunStatus.Completed]: 'SUCCEEDED',
  [RunStatus.Failed]: 'FAILED',
  [RunStatus.Cancelled]: 'CANCELLED',
  [RunStatus.Evicted]: 'RUNNING',
};

function scheduleMessage(schedule: StoredSchedule, tenantId: TenantId, status: RunStatus | undefined): Schedule {
  const { workflowId, workflowName, versionId, dueUs, input, metadata, priority, runId, error } = schedule;
  return {
    metadata: resourceMeta(schedule.id),
    tenantId,
    workflowVersionId: versionId,
    workflowId,
    workflowName,
    triggerAt: new Date(Number(dueUs) / 1000).toISOString(),
    input: storedJson(input),
    additionalMetadata: storedJson(metadata),
    workflowRunCreatedAt: runId === null ? undefined : madeAt(runId),
    workflowRunName: runId === null ? undefined : workflowName,
    workflowRunStatus: status === undefined ? undefined : runStatuses[status],
    workflowRunId: runId ?? undefined,
    method: 'API',
    priority: shownPriority(priority),
    error: error ?? undefined,
    leftOut: leftOutFields({ input: schedule.payloadLeftOut, additionalMetadata: schedule.metadataLeftOut }),
  };
}
