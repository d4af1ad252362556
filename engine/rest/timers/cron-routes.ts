import type { Cron, StartedRun } from '../../../proto/gen/rest/answers.ts';
import { oneOf } from '../../edge/parse/choice.ts';
import { cron } from '../../edge/parse/cron.ts';
import { knownId } from '../../edge/parse/id.ts';
import { invalid } from '../../edge/parse/invalid.ts';
import { HatchetError } from '../../base/errors.ts';
import { markChecked, type Checked } from '../../model/checked.ts';
import { nextTick } from '../../model/time/cron.ts';
import { catchUpPolicies } from '../../model/time/missed-ticks.ts';
import { maxPageBytes } from '../../model/limits.ts';
import type { CronFields } from '../../model/stored-rows.ts';
import { newId } from '../../model/ids/uuid.ts';
import { readWithin } from '../../monitor/budget/answers-in-flight.ts';
import { listCrons, type StoredCron } from '../../monitor/timer-reads.ts';
import { pageSize } from '../../monitor/budget/within-bytes.ts';
import { answer } from '../answer-in-pieces.ts';
import { leftOutFields, pagination, resourceMeta, shownPriority, storedJson } from '../message-fields.ts';
import type { RestDeps } from '../deps.ts';
import { bodyWithPayloads, objectBody, textMember } from '../request-values.ts';
import type { Router } from '../gated-router.ts';
import { runCronNow } from './run-now.ts';
import { anyTimer, timerInput, timerQuery } from './timer-query.ts';
import { workflowOf } from '../workflows/workflow-of.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

const base = '/api/v1/tenants/:tenant/workflows/crons';

/** Runs that come again and again. Beyond the contract, a cron may have a `timezone` and a `catchUp` policy. */
export function registerCronRoutes(router: Router, deps: RestDeps): void {
  const one = async (tenantId: TenantId, cronId: Checked<string>, payloadBytes = 0): Promise<StoredCron> => {
    const [found] = await listCrons(deps.pool, { ...anyTimer, tenantId, id: cronId, payloadBytes });
    if (found === undefined)
      throw new HatchetError('UNKNOWN_TIMER', `there is no cron ${cronId}`, { remedy: 'Check the id.' });
    return found;
  };
  const held = (tenantId: TenantId, cronId: Checked<string>) =>
    readWithin(maxPageBytes, async (bytes) => {
      const found = await one(tenantId, cronId, bytes);
      return { value: cronMessage(found, tenantId), ...pageSize([found]) };
    });

  router.get(base, async (context) => {
    const { tenantId } = context.get('caller');
    const query = timerQuery(context.req, tenantId);
    const page = await readWithin(maxPageBytes, async (payloadBytes) => {
      const rows = await listCrons(deps.pool, { ...query, limit: query.limit + 1, payloadBytes });
      return {
        value: {
          pagination: pagination({ ...query, more: rows.length > query.limit }),
          rows: rows.slice(0, query.limit).map((row) => cronMessage(row, tenantId)),
        },
        ...pageSize(rows),
      };
    });
    return answer(context, page);
  });
  router.post('/api/v1/tenants/:tenant/workflows/:workflow/crons', async (context) => {
    const caller = context.get('caller');
    const { tenantId } = caller;
    const version = await workflowOf(deps.owner, tenantId, context.req.param('workflow'));
    const body = await bodyWithPayloads(context, deps.owner.payloads);
    const cronId = newId();
    const row: Checked<CronFields> = markChecked({
      id: cronId,
      workflowId: version.workflowId,
      ...cronSpec(body, deps.owner.nowUs),
      ...(await timerInput(body, tenantId, deps.owner.payloads)),
      enabled: true,
      isDeclared: false,
      lastUs: null,
      lastRunId: null,
    });
    caller.note(cronId);
    await deps.owner.submit({ kind: 'putCron', tenantId, cron: row });
    return answer(context, await held(tenantId, cronId));
  });
  router.get(`${base}/:cron`, async (context) => {
    const { tenantId } = context.get('caller');
    return answer(context, await held(tenantId, knownId(context.req.param('cron'), 'UNKNOWN_TIMER')));
  });
  router.post(`${base}/:cron`, async (context) => {
    const caller = context.get('caller');
    const { tenantId } = caller;
    const cronId = knownId(context.req.param('cron'), 'UNKNOWN_TIMER');
    const runId = await runCronNow(deps, tenantId, await one(tenantId, cronId));
    caller.note(cronId, runId);
    return context.json({ externalId: runId } satisfies StartedRun);
  });
  router.patch(`${base}/:cron`, async (context) => {
    const caller = context.get('caller');
    const { tenantId } = caller;
    const cronId = knownId(context.req.param('cron'), 'UNKNOWN_TIMER');
    caller.note(cronId);
    const stored = await one(tenantId, cronId);
    const { enabled } = await objectBody(context.req);
    if (typeof enabled !== 'boolean')
      throw invalid('enabled is not true or false', 'Send {"enabled": false} or {"enabled": true}.');
    await deps.owner.submit({
      kind: 'setCronEnabled',
      tenantId,
      cronId,
      enabled,
      nextUs: firstTick(stored, deps.owner.nowUs),
    });
    return context.body(null, 204);
  });
  router.delete(`${base}/:cron`, async (context) => {
    const caller = context.get('caller');
    const { tenantId } = caller;
    const cronId = knownId(context.req.param('cron'), 'UNKNOWN_TIMER');
    caller.note(cronId);
    await one(tenantId, cronId);
    await deps.owner.submit({ kind: 'deleteTimers', tenantId, timers: 'cron', ids: [cronId] });
    return context.body(null, 204);
  });
}

function firstTick(spec: { expression: string; zone: string }, nowUs: number): Checked<number> {
  return markChecked(Math.min(nextTick(spec, nowUs / 1000) * 1000, Number.MAX_SAFE_INTEGER));
}

/** @throws HatchetError INVALID_ARGUMENT */
function cronSpec(
  body: Record<string, unknown>,
  nowUs: number,
): Pick<CronFields, 'name' | 'expression' | 'zone' | 'catchUp' | 'nextUs'> {
  const name = textMember(body['cronName'], 'cronName', { least: 1, most: 200 });
  const spec = cron(
    {
      expression: textMember(body['cronExpression'], 'cronExpression'),
      zone: textMember(body['timezone'] ?? 'UTC', 'timezone'),
    },
    'the cron',
  );
  return {
    name,
    ...spec,
    catchUp: oneOf(body['catchUp'] ?? 'none', 'catchUp', catchUpPolicies),
    nextUs: firstTick(spec, nowUs),
  };
}

function cronMessage(stored: StoredCron, tenantId: TenantId): Cron {
  const {
    id,
    workflowId,
    workflowName,
    versionId,
    name,
    expression,
    zone,
    input,
    metadata,
    priority,
    enabled,
    isDeclared,
  } = stored;
  return {
    metadata: resourceMeta(id),
    tenantId,
    workflowVersionId: versionId,
    workflowId,
    workflowName,
    cron: expression,
    timezone: zone,
    name,
    input: storedJson(input),
    additionalMetadata: storedJson(metadata),
    enabled,
    method: isDeclared ? 'DEFAULT' : 'API',
    priority: shownPriority(priority),
    nextRunAt: new Date(Math.min(Number(stored.nextUs) / 1000, 8.64e15)).toISOString(),
    lastError: stored.lastError ?? undefined,
    leftOut: leftOutFields({ input: stored.payloadLeftOut, additionalMetadata: stored.metadataLeftOut }),
  };
}
