import type { ExpressionResult, RunCount } from '../../../proto/gen/rest/answers.ts';
import { CelVariables } from '../../cel/cel-variables.ts';
import { metadataPairs, searchedIds } from '../../edge/parse/selection.ts';
import { HatchetError } from '../../base/errors.ts';
import { runStatusNames } from '../../model/task/status.ts';
import { uuidFloor } from '../../model/ids/uuid-floor.ts';
import { readRunCounts } from '../../monitor/runs/run-counts.ts';
import type { RestDeps } from '../deps.ts';
import type { Router } from '../gated-router.ts';
import { metricsType } from '../../metrics/metrics.ts';
import { JsonText } from '../../payloads/cut-body.ts';
import { bodyWithPayloads, dateQuery, listQuery, uuidQuery } from '../request-values.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

const base = '/api/v1/stable/tenants/:tenant';

/** How many runs there are of each status, a tenant's metrics for Prometheus, and what an expression gives. */
export function registerMetricRoutes(router: Router, deps: RestDeps): void {
  router.get('/api/v1/tenants/:tenant/prometheus-metrics', async (context) => {
    const { tenantId } = context.get('caller');
    await deps.owner.served(tenantId);
    return context.body(await deps.metrics.ofTenant(tenantId), 200, { 'content-type': metricsType });
  });
  router.get(`${base}/task-metrics`, async (context) => {
    const { req } = context;
    const since = dateQuery(req, 'since');
    const until = dateQuery(req, 'until');
    const counts = await readRunCounts(deps.pool, {
      tenantId: context.get('caller').tenantId,
      sinceId: since === undefined ? null : uuidFloor(since.getTime()),
      untilId: until === undefined ? null : uuidFloor(until.getTime()),
      workflowIds: searchedIds(listQuery(req, 'workflow_ids'), 'workflow_ids'),
      metadata: metadataPairs(listQuery(req, 'additional_metadata')),
      parentTaskId: uuidQuery(req, 'parent_task_external_id'),
      eventId: uuidQuery(req, 'triggering_event_external_id'),
    });
    return context.json(
      counts.map(({ status, count }) => ({ status: runStatusNames[status], count }) satisfies RunCount),
    );
  });
  router.post(`${base}/cel/debug`, async (context) => {
    const { expression, input, additionalMetadata, filterPayload } = await bodyWithPayloads(
      context,
      deps.owner.payloads,
    );
    if (typeof expression !== 'string')
      throw new HatchetError('INVALID_ARGUMENT', 'expression is missing', {
        remedy: 'Send {"expression": …, "input": {…}}.',
      });
    const given = (value: unknown): string => (value instanceof JsonText && value.isObject ? value.text : '{}');
    return context.json(
      await debugged(deps, {
        tenantId: context.get('caller').tenantId,
        expression,
        variables: new CelVariables({
          input: given(input),
          additional_metadata: given(additionalMetadata),
          payload: given(filterPayload),
        }),
      }),
    );
  });
}

/** What a filter's expression gives, and where it fails, why. */
async function debugged(
  { owner }: RestDeps,
  { tenantId, expression, variables }: { tenantId: TenantId; expression: string; variables: CelVariables },
): Promise<ExpressionResult> {
  try {
    const result = await owner.cel.evaluate(tenantId, expression, variables);
    if (!result.ok) return { status: 'ERROR', error: result.message };
    if (typeof result.value !== 'boolean')
      return {
        status: 'ERROR',
        error: `the expression gives ${JSON.stringify(result.value).slice(0, 100)}, which is neither true nor false`,
      };
    return { status: 'SUCCESS', output: result.value };
  } catch (error) {
    if (error instanceof HatchetError && error.code === 'INVALID_ARGUMENT')
      return { status: 'ERROR', error: error.message };
    throw error;
  }
}
