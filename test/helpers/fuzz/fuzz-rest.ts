import { routeRules, type Route } from '../../../engine/edge/access/route-rules.ts';
import { fuzzJson, fuzzText, type Draw, type Known } from './fuzz-values.ts';

export const routes = Object.keys(routeRules).filter((route): route is Route => Object.hasOwn(routeRules, route));

/** What routes read of queries and bodies. */
const queryNames = [
  'offset',
  'limit',
  'since',
  'until',
  'keys',
  'eventIds',
  'scopes',
  'additionalMetadata',
  'additional_metadata',
  'workflowId',
  'workflowIds',
  'workflow_ids',
  'workflowName',
  'cronName',
  'statuses',
  'parent_task_external_id',
  'triggering_event_external_id',
  'worker_id',
  'include_payloads',
  'only_tasks',
  'search',
  'key',
  'attempt',
  'levels',
  'order_by_direction',
  'name',
  'version',
  'sourceNames',
  'webhookNames',
  'before',
  'token',
  'action',
  'id',
  'tenant',
  'dag_ids',
  'taskNames',
  'workflows',
  'groupKey',
  'status',
  'createdAfter',
  'createdBefore',
  'finishedBefore',
  'taskExternalIds',
  'step_ids',
  'run_external_id',
  'eventId',
  'parentWorkflowRunId',
  'parentStepRunId',
];
const bodyNames = [
  'workflowName',
  'input',
  'additionalMetadata',
  'priority',
  'externalIds',
  'filter',
  'taskExternalId',
  'nodeId',
  'branchId',
  'isPaused',
  'pause',
  'key',
  'data',
  'scope',
  'events',
  'workflowId',
  'expression',
  'payload',
  'filterPayload',
  'cronName',
  'cronExpression',
  'timezone',
  'catchUp',
  'enabled',
  'triggerAt',
  'scheduledWorkflowRunIds',
  'updates',
  'name',
  'sourceName',
  'eventKeyExpression',
  'scopeExpression',
  'staticPayload',
  'returnEventAsResponsePayload',
  'authType',
  'auth',
  'expiresIn',
];
const filterNames = [
  'since',
  'until',
  'statuses',
  'workflowIds',
  'additionalMetadata',
  'workflowId',
  'action',
  'username',
  'password',
  'id',
  'triggerAt',
  'signingSecret',
  'algorithm',
  'encoding',
  'signatureHeaderName',
  'headerName',
  'apiKey',
];

export interface RestRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: Buffer | undefined;
}

/** A request to the route, filled at random; now and then with a body that is no JSON. */
export function fuzzRestRequest(draw: Draw, route: Route, known: Known & { tenantId: string }): RestRequest {
  const [method = 'GET', pattern = '/'] = route.split(' ');
  const filled = pattern.replaceAll(/:(\w+)/g, (_, name: string) =>
    name === 'tenant' && !draw.chance(0.05)
      ? known.tenantId
      : encodeURIComponent(
          fuzzText(draw, name, known)
            .slice(0, 3000)
            .replace(/\p{Surrogate}/gu, '?'),
        ),
  );
  const query = new URLSearchParams();
  for (let at = draw.below(5); at > 0; at--) {
    const name = draw.of(queryNames);
    query.append(
      name,
      draw.chance(0.3)
        ? draw.of(['0', '1', '-1', '1e9', 'true', 'false', '', '10000'])
        : fuzzText(draw, name, known)
            .slice(0, 3000)
            .replace(/\p{Surrogate}/gu, '?'),
    );
  }
  const text = query.toString();
  return {
    method,
    path: text === '' ? filled : `${filled}?${text}`,
    headers: { 'content-type': 'application/json' },
    body: method === 'GET' ? undefined : fuzzBody(draw, known),
  };
}

function fuzzBody(draw: Draw, known: Known): Buffer {
  if (draw.chance(0.05)) return draw.bytes(draw.below(300));
  if (draw.chance(0.03)) return Buffer.from('['.repeat(draw.of([100, 300, 100_000])));
  const count = draw.chance(0.5) ? 12 : 4;
  const entries = Array.from({ length: count }, () => draw.of(bodyNames)).map(
    (name) => [name, fuzzMember(draw, name, known)] as const,
  );
  return Buffer.from(JSON.stringify(Object.fromEntries(entries)));
}

function fuzzMember(draw: Draw, name: string, known: Known): unknown {
  if (name === 'filter' || name === 'auth' || name === 'pause')
    return draw.chance(0.8)
      ? Object.fromEntries(
          filterNames.filter(() => draw.chance(0.4)).map((each) => [each, fuzzJson(draw, each, known)]),
        )
      : fuzzJson(draw, name, known);
  if (name === 'events' || name === 'updates')
    return Array.from({ length: draw.below(3) }, () =>
      Object.fromEntries(
        ['key', 'data', 'scope', 'id', 'triggerAt'].map((each) => [each, fuzzJson(draw, each, known)]),
      ),
    );
  return draw.chance(0.6) ? fuzzText(draw, name, known) : fuzzJson(draw, name, known);
}
