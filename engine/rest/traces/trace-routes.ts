import { invalid } from '../../edge/parse/invalid.ts';
import { maxPageBytes } from '../../model/limits.ts';
import { readWithin } from '../../monitor/budget/answers-in-flight.ts';
import { readSpans, traceIdOf } from '../../monitor/span-reads.ts';
import { answer } from '../answer-in-pieces.ts';
import type { RestDeps } from '../deps.ts';
import type { Router } from '../gated-router.ts';
import { pagination } from '../message-fields.ts';
import { pageQuery, uuidQuery } from '../request-values.ts';
import { spanMessage } from './span-message.ts';

const mostSpans = 1000;

/** The spans that programs have sent of their runs. */
export function registerTraceRoutes(router: Router, { pool }: RestDeps): void {
  router.get('/api/v1/stable/tenants/:tenant/traces', async (context) => {
    const { tenantId } = context.get('caller');
    const runId = uuidQuery(context.req, 'run_external_id');
    if (runId === null) throw invalid('run_external_id is missing', 'Give the id of a run, or of a task.');
    const { offset, limit } = pageQuery(context.req, { fallback: mostSpans, most: mostSpans });
    const traceId = await traceIdOf(pool, tenantId, runId);
    const page = await readWithin(maxPageBytes, async (bytes) => {
      const { spans, brought, leftOut } =
        traceId === undefined
          ? { spans: [], brought: 0, leftOut: 0 }
          : await readSpans(pool, { tenantId, traceId, offset, limit: limit + 1, bytes });
      return {
        value: {
          pagination: pagination({ offset, limit, more: spans.length > limit || leftOut > 0 }),
          rows: spans.slice(0, limit).map(spanMessage),
        },
        brought,
        leftOut,
      };
    });
    return answer(context, page);
  });
}
