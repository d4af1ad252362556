import type { Filter as FilterAnswer } from '../../../proto/gen/rest/answers.ts';
import type { Caller } from '../../edge/access/caller.ts';
import { expression } from '../../edge/parse/expression.ts';
import { knownId } from '../../edge/parse/id.ts';
import { invalid } from '../../edge/parse/invalid.ts';
import { smallObject } from '../../edge/parse/checked-json.ts';
import { searchedIds } from '../../edge/parse/selection.ts';
import { HatchetError } from '../../base/errors.ts';
import { markChecked, type Checked } from '../../model/checked.ts';
import { newId } from '../../model/ids/uuid.ts';
import { findFilter } from '../../plan/state/filters.ts';
import type { Filter } from '../../plan/state/shard-state.ts';
import { plainAnswer } from '../answer-in-pieces.ts';
import { pagination, resourceMeta, storedJson } from '../message-fields.ts';
import type { RestDeps } from '../deps.ts';
import { idMember, listQuery, objectBody, pageQuery, textMember } from '../request-values.ts';
import type { Router } from '../gated-router.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

const base = '/api/v1/stable/tenants/:tenant/filters';

/** Which events start a workflow, by scope and expression. */
export function registerFilterRoutes(router: Router, deps: RestDeps): void {
  const known = async (tenantId: TenantId, given: string): Promise<Filter & { id: Checked<string> }> => {
    const filterId = knownId(given, 'UNKNOWN_FILTER');
    const filter = findFilter(await deps.owner.served(tenantId), tenantId, filterId);
    if (filter === undefined)
      throw new HatchetError('UNKNOWN_FILTER', `there is no filter ${filterId}`, { remedy: 'Check the id.' });
    return { ...filter, id: filterId };
  };
  const put = async (filter: Checked<Filter>, caller: Caller): Promise<FilterAnswer> => {
    caller.note(filter.id);
    await deps.owner.submit({ kind: 'putFilter', tenantId: caller.tenantId, filter });
    return filterMessage(filter);
  };

  router.get(base, async (context) => {
    const { tenantId } = context.get('caller');
    const { req } = context;
    const page = pageQuery(req);
    const workflowIds: readonly string[] = searchedIds(listQuery(req, 'workflowIds'), 'workflowIds');
    const scopes: readonly string[] = listQuery(req, 'scopes');
    const all = [...(await deps.owner.served(tenantId)).filters.values()]
      .flatMap((filters) => [...filters.values()])
      .filter(
        (filter) =>
          filter.tenantId === tenantId &&
          (workflowIds.length === 0 || workflowIds.includes(filter.workflowId)) &&
          (scopes.length === 0 || scopes.includes(filter.scope)),
      )
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    const end = page.offset + page.limit;
    return plainAnswer(context, {
      pagination: pagination({ ...page, more: all.length > end }),
      rows: all.slice(page.offset, end).map(filterMessage),
    });
  });
  router.post(base, async (context) => {
    const caller = context.get('caller');
    const { tenantId } = caller;
    const body = await objectBody(context.req);
    const workflowId = idMember(body['workflowId'], 'workflowId');
    const filter: Checked<Filter> = markChecked({
      id: newId(),
      tenantId,
      workflowId,
      scope: scopeOf(body['scope']),
      expression: expressionOf(body['expression']),
      payload: payloadOf(body['payload']),
      isDeclared: false,
    });
    return plainAnswer(context, await put(filter, caller));
  });
  router.get(`${base}/:filter`, async (context) =>
    plainAnswer(context, filterMessage(await known(context.get('caller').tenantId, context.req.param('filter')))),
  );
  router.patch(`${base}/:filter`, async (context) => {
    const caller = context.get('caller');
    const filter = await known(caller.tenantId, context.req.param('filter'));
    const { scope, expression: given, payload } = await objectBody(context.req);
    const changed = {
      scope: scope === undefined ? filter.scope : scopeOf(scope),
      expression: given === undefined ? filter.expression : expressionOf(given),
      payload: payload === undefined ? filter.payload : payloadOf(payload),
    };
    return plainAnswer(context, await put(markChecked({ ...filter, ...changed }), caller));
  });
  router.delete(`${base}/:filter`, async (context) => {
    const caller = context.get('caller');
    const { tenantId } = caller;
    const filter = await known(tenantId, context.req.param('filter'));
    caller.note(filter.id);
    await deps.owner.submit({ kind: 'deleteFilter', tenantId, filterId: filter.id });
    return plainAnswer(context, filterMessage(filter));
  });
}

function scopeOf(value: unknown): Checked<string> {
  return textMember(value, 'scope', { least: 1 });
}

function expressionOf(value: unknown): Checked<string> {
  if (typeof value !== 'string') throw invalid('expression is missing', 'Give a CEL expression.');
  return expression(value, 'the expression');
}

function payloadOf(value: unknown): Checked<string> {
  return smallObject(value === undefined || value === null ? '' : JSON.stringify(value), 'the payload');
}

function filterMessage(filter: Filter): FilterAnswer {
  const { id, tenantId, workflowId, scope, payload, isDeclared } = filter;
  return {
    metadata: resourceMeta(id),
    tenantId,
    workflowId,
    scope,
    expression: filter.expression,
    payload: storedJson(payload),
    isDeclarative: isDeclared,
  };
}
