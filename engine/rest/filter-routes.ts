import type { Hono } from 'hono';
import { compileCel } from '../cel/compile-cel.ts';
import { HatchetError } from '../errors.ts';
import { checkDepth } from '../model/payload.ts';
import { newId, parseUuid } from '../model/uuid.ts';
import type { Filter, ShardState } from '../plan/shard-state.ts';
import { findFilter } from '../plan/put-filter.ts';
import { plainAnswer } from './answer.ts';
import { pagination, resourceMeta, storedJson } from './contract.ts';
import type { RestDeps, RestEnv } from './deps.ts';
import { integerQuery, isObject, listQuery, objectBody, uuidOf } from './request-values.ts';

const base = '/api/v1/stable/tenants/:tenant/filters';
/** Filters of one workflow: each event of its keys is put to all of them. */
const mostFilters = 10_000;
const longestScope = 1000;
const longestPayload = 65_536;

/** Which events start a workflow, by scope and expression. */
export function registerFilterRoutes(app: Hono<RestEnv>, deps: RestDeps): void {
  const stateOf = (tenantId: string): ShardState => {
    const state = deps.owner.stateOf(tenantId);
    if (state === undefined) throw new HatchetError('NOT_OWNER', 'the engine is not ready yet', { remedy: 'Try again in a moment.' });
    return state;
  };
  const known = (tenantId: string, given: string): Filter => {
    const filter = findFilter(stateOf(tenantId), tenantId, parseUuid(given) ?? '');
    if (filter === undefined) throw new HatchetError('UNKNOWN_FILTER', `there is no filter ${JSON.stringify(given)}`, { remedy: 'Check the id.' });
    return filter;
  };
  const put = async (filter: Filter): Promise<ReturnType<typeof filterMessage>> => {
    await deps.owner.submit(filter.tenantId, { kind: 'putFilter', filter });
    return filterMessage(filter);
  };

  app.get(base, (context) => {
    const { tenantId } = context.get('caller');
    const { req } = context;
    const page = { offset: integerQuery(req, 'offset', { fallback: 0, least: 0, most: 1_000_000 }), limit: integerQuery(req, 'limit', { fallback: 50, least: 1, most: 1000 }) };
    const workflowIds = listQuery(req, 'workflowIds').map((id) => uuidOf('workflowIds', id));
    const scopes = listQuery(req, 'scopes');
    const all = [...stateOf(tenantId).filters.values()]
      .flatMap((filters) => [...filters.values()])
      .filter((filter) => filter.tenantId === tenantId && (workflowIds.length === 0 || workflowIds.includes(filter.workflowId)) && (scopes.length === 0 || scopes.includes(filter.scope)))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    const end = page.offset + page.limit;
    return plainAnswer(context, { pagination: pagination({ ...page, more: all.length > end }), rows: all.slice(page.offset, end).map(filterMessage) });
  });
  app.post(base, async (context) => {
    const { tenantId } = context.get('caller');
    const body = await objectBody(context.req);
    const workflowId = uuidOf('workflowId', String(body['workflowId']));
    if ((stateOf(tenantId).filters.get(workflowId)?.size ?? 0) >= mostFilters) throw new HatchetError('INVALID_ARGUMENT', `workflow ${workflowId} has ${mostFilters} filters already`, { remedy: 'Delete some.' });
    const filter: Filter = { id: newId(), tenantId, workflowId, scope: scopeOf(body['scope']), expression: expressionOf(body['expression']), payload: payloadOf(body['payload']), isDeclared: false };
    return plainAnswer(context, await put(filter));
  });
  app.get(`${base}/:filter`, (context) => plainAnswer(context, filterMessage(known(context.get('caller').tenantId, context.req.param('filter')))));
  app.patch(`${base}/:filter`, async (context) => {
    const filter = known(context.get('caller').tenantId, context.req.param('filter'));
    const { scope, expression, payload } = await objectBody(context.req);
    return plainAnswer(
      context,
      await put({ ...filter, scope: scope === undefined ? filter.scope : scopeOf(scope), expression: expression === undefined ? filter.expression : expressionOf(expression), payload: payload === undefined ? filter.payload : payloadOf(payload) }),
    );
  });
  app.delete(`${base}/:filter`, async (context) => {
    const { tenantId } = context.get('caller');
    const filter = known(tenantId, context.req.param('filter'));
    await deps.owner.submit(tenantId, { kind: 'deleteFilter', tenantId, filterId: filter.id });
    return plainAnswer(context, filterMessage(filter));
  });
}

function scopeOf(value: unknown): string {
  if (typeof value !== 'string' || value === '' || value.length > longestScope || value.includes('\0')) throw new HatchetError('INVALID_ARGUMENT', 'scope is not a text of 1 to 1000 characters without NUL', { remedy: 'Give the scope of the events that the filter is for.' });
  return value;
}

function expressionOf(value: unknown): string {
  if (typeof value !== 'string') throw new HatchetError('INVALID_ARGUMENT', 'expression is missing', { remedy: 'Give a CEL expression.' });
  return compileCel(value).expression;
}

function payloadOf(value: unknown): string {
  if (value === undefined || value === null) return '{}';
  const text = JSON.stringify(value);
  checkDepth(text, 'payload');
  if (!isObject(value) || text.length > longestPayload || text.includes('\\u0000')) throw new HatchetError('INVALID_ARGUMENT', `payload is not an object of up to ${longestPayload} bytes without NUL`, { remedy: 'Send an object.' });
  return text;
}

function filterMessage(filter: Filter) {
  const { id, tenantId, workflowId, scope, expression, payload, isDeclared } = filter;
  return { metadata: resourceMeta(id), tenantId, workflowId, scope, expression, payload: storedJson(payload), isDeclarative: isDeclared };
}
