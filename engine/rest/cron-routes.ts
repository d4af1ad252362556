import type { Hono } from 'hono';
import { HatchetError } from '../errors.ts';
import { catchUpPolicies, cronProblem, nextTick, type CatchUp } from '../model/cron.ts';
import { maxPageBytes } from '../model/limits.ts';
import type { CronRow } from '../model/rows.ts';
import { newId, parseUuid } from '../model/uuid.ts';
import { readWithin } from '../monitor/answers-in-flight.ts';
import { listCrons, type StoredCron } from '../monitor/timer-reads.ts';
import { pageSize } from '../monitor/within-bytes.ts';
import { answer } from './answer.ts';
import { leftOutFields, pagination, resourceMeta, storedJson } from './contract.ts';
import type { RestDeps, RestEnv } from './deps.ts';
import { objectBody } from './request-values.ts';
import { anyTimer, timerInput, timerQuery } from './timer-query.ts';
import { workflowOf } from './workflow-of.ts';

const base = '/api/v1/tenants/:tenant/workflows/crons';
const mostCrons = 10_000;

/** Runs that come again and again. Beyond the contract, a cron may have a `timezone` and a `catchUp` policy. */
export function registerCronRoutes(app: Hono<RestEnv>, deps: RestDeps): void {
  const one = async (tenantId: string, given: string, payloadBytes = 0): Promise<StoredCron> => {
    const id = parseUuid(given);
    const [cron] = id === undefined ? [] : await listCrons(deps.pool, { ...anyTimer, tenantId, id, payloadBytes });
    if (cron === undefined) throw new HatchetError('UNKNOWN_TIMER', `there is no cron ${JSON.stringify(given)}`, { remedy: 'Check the id.' });
    return cron;
  };
  const held = (tenantId: string, given: string) =>
    readWithin(maxPageBytes, async (bytes) => {
      const cron = await one(tenantId, given, bytes);
      return { value: cronMessage(cron, tenantId), ...pageSize([cron]) };
    });

  app.get(base, async (context) => {
    const { tenantId } = context.get('caller');
    const query = timerQuery(context.req, tenantId);
    const page = await readWithin(maxPageBytes, async (payloadBytes) => {
      const rows = await listCrons(deps.pool, { ...query, limit: query.limit + 1, payloadBytes });
      return { value: { pagination: pagination({ ...query, more: rows.length > query.limit }), rows: rows.slice(0, query.limit).map((row) => cronMessage(row, tenantId)) }, ...pageSize(rows) };
    });
    return answer(context, page);
  });
  app.post('/api/v1/tenants/:tenant/workflows/:workflow/crons', async (context) => {
    const { tenantId } = context.get('caller');
    const version = workflowOf(deps.owner, tenantId, context.req.param('workflow'));
    const body = await objectBody(context.req);
    const count = [...(deps.owner.stateOf(tenantId)?.crons.values() ?? [])].filter((cron) => cron.tenantId === tenantId).length;
    if (count >= mostCrons) throw new HatchetError('INVALID_ARGUMENT', `the tenant has ${mostCrons} crons already`, { remedy: 'Delete some.' });
    const cron: CronRow = { id: newId(), tenantId, workflowId: version.workflowId, ...cronSpec(body, deps.owner.nowUs), ...timerInput(body), enabled: true, isDeclared: false, lastUs: null, lastRunId: null };
    await deps.owner.submit(tenantId, { kind: 'putCron', cron });
    return answer(context, await held(tenantId, cron.id));
  });
  app.get(`${base}/:cron`, async (context) => {
    const { tenantId } = context.get('caller');
    return answer(context, await held(tenantId, context.req.param('cron')));
  });
  app.patch(`${base}/:cron`, async (context) => {
    const { tenantId } = context.get('caller');
    const cron = await one(tenantId, context.req.param('cron'));
    const { enabled } = await objectBody(context.req);
    if (typeof enabled !== 'boolean') throw new HatchetError('INVALID_ARGUMENT', 'enabled is not true or false', { remedy: 'Send {"enabled": false} or {"enabled": true}.' });
    await deps.owner.submit(tenantId, { kind: 'setCronEnabled', tenantId, cronId: cron.id, enabled, nextUs: firstTick(cron, deps.owner.nowUs) });
    return context.body(null, 204);
  });
  app.delete(`${base}/:cron`, async (context) => {
    const { tenantId } = context.get('caller');
    const cron = await one(tenantId, context.req.param('cron'));
    await deps.owner.submit(tenantId, { kind: 'deleteTimers', tenantId, timers: 'cron', ids: [cron.id] });
    return context.body(null, 204);
  });
}

function firstTick(spec: { expression: string; zone: string }, nowUs: number): number {
  return Math.min(nextTick(spec, nowUs / 1000) * 1000, Number.MAX_SAFE_INTEGER);
}

/** @throws HatchetError INVALID_ARGUMENT */
function cronSpec(body: Record<string, unknown>, nowUs: number): { name: string; expression: string; zone: string; catchUp: CatchUp; nextUs: number } {
  const { cronName: name, cronExpression: expression, timezone: zone = 'UTC', catchUp = 'none' } = body;
  if (typeof name !== 'string' || name === '' || name.length > 200 || name.includes('\0')) throw new HatchetError('INVALID_ARGUMENT', 'cronName is not a text of 1 to 200 characters', { remedy: 'Name the cron.' });
  if (typeof expression !== 'string' || expression.length > 200) throw new HatchetError('INVALID_ARGUMENT', 'cronExpression is missing', { remedy: 'Write five fields, or six with seconds first.' });
  if (typeof zone !== 'string' || zone.length > 100) throw new HatchetError('INVALID_ARGUMENT', 'timezone is not a text', { remedy: 'Give an IANA name such as Europe/Berlin, or leave it out.' });
  const policy = catchUpPolicies.find((each) => each === catchUp);
  if (policy === undefined) throw new HatchetError('INVALID_ARGUMENT', `catchUp is ${JSON.stringify(catchUp)}`, { remedy: 'Choose none, last or all.' });
  const wrong = cronProblem({ expression, zone });
  if (wrong !== undefined) throw new HatchetError('INVALID_ARGUMENT', `the cron ${JSON.stringify(expression)} is not valid: ${wrong.problem}`, { remedy: wrong.remedy });
  return { name, expression, zone, catchUp: policy, nextUs: firstTick({ expression, zone }, nowUs) };
}

function cronMessage(cron: StoredCron, tenantId: string) {
  const { id, workflowId, workflowName, versionId, name, expression, zone, input, metadata, priority, enabled, isDeclared } = cron;
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
    priority: priority ?? undefined,
    nextRunAt: new Date(Math.min(Number(cron.nextUs) / 1000, 8.64e15)).toISOString(),
    lastError: cron.lastError ?? undefined,
    leftOut: leftOutFields({ input: cron.payloadLeftOut, additionalMetadata: cron.metadataLeftOut }),
  };
}
