import type { Pool } from 'pg';
import type { TenantId } from '../model/ids/tenant-id.ts';
import { cutOf, cutPage, type Cut, type CutRow } from './budget/within-bytes.ts';

export interface StoredSpan {
  id: string;
  traceId: Buffer;
  spanId: Buffer;
  parentSpanId: Buffer | null;
  runId: string | null;
  taskId: string | null;
  attempt: number;
  name: string;
  kind: number;
  status: number;
  statusMessage: string | null;
  /** Nanoseconds, as text. */
  startNs: string;
  durationNs: string;
  service: string;
  scopeName: string;
  scopeVersion: string;
  /** JSON. */
  attributes: string;
  resource: string;
  events: string;
  links: string;
}

const columns = [
  'id',
  '"traceId"',
  '"spanId"',
  '"parentSpanId"',
  '"runId"',
  '"taskId"',
  'attempt',
  'name',
  'kind',
  'status',
  '"statusMessage"',
  '"startNs"',
  '"durationNs"',
  'service',
  '"scopeName"',
  '"scopeVersion"',
  'attributes',
  'resource',
  'events',
  'links',
];

/** One that was sent on two days counts once. */
const spanRows = `
  SELECT s.*, row_number() OVER (ORDER BY s."startNs", s."spanId") AS place FROM (
    SELECT DISTINCT ON (span_id) id, trace_id AS "traceId", span_id AS "spanId", parent_span_id AS "parentSpanId", run_id AS "runId", task_id AS "taskId", attempt, name, kind, status, status_message AS "statusMessage", start_ns AS "startNs", duration_ns AS "durationNs", service, scope_name AS "scopeName", scope_version AS "scopeVersion", attributes, resource, events, links,
      octet_length(attributes) + octet_length(resource) + octet_length(events) + octet_length(links) + octet_length(name) AS bytes
    FROM span WHERE tenant_id = $1 AND trace_id = $2
    ORDER BY span_id, id
  ) s
  ORDER BY s."startNs", s."spanId" OFFSET $3 LIMIT $4`;
const spansOfTrace = {
  name: 'spans_of_trace',
  text: cutPage({ rows: spanRows, columns, order: 'place', budget: '$5' }),
};

/** Of a trace, by the time at which they began. A page ends before it is larger than so many bytes. */
export async function readSpans(
  pool: Pool,
  query: { tenantId: TenantId; traceId: Buffer; offset: number; limit: number; bytes: number },
): Promise<Cut & { spans: StoredSpan[] }> {
  const { rows } = await pool.query<StoredSpan & CutRow>({
    ...spansOfTrace,
    values: [query.tenantId, query.traceId, query.offset, query.limit, query.bytes],
  });
  return { spans: rows, ...cutOf(rows, query.limit) };
}

/** The newest attempt's: an attempt may have a trace of its own. */
const traceOfRun = {
  name: 'trace_of_run',
  text: `
    SELECT s.trace_id AS "traceId" FROM (
      (SELECT trace_id, attempt, start_ns FROM span WHERE run_id = $2 AND tenant_id = $1 ORDER BY attempt DESC, start_ns DESC LIMIT 1)
      UNION ALL
      (SELECT trace_id, attempt, start_ns FROM span WHERE task_id = $2 AND tenant_id = $1 ORDER BY attempt DESC, start_ns DESC LIMIT 1)
    ) s
    ORDER BY s.attempt DESC, s.start_ns DESC LIMIT 1`,
};

/** @param id a run's or a task's; undefined where no span of the tenant names it */
export async function traceIdOf(pool: Pool, tenantId: TenantId, id: string): Promise<Buffer | undefined> {
  const { rows } = await pool.query<{ traceId: Buffer }>({ ...traceOfRun, values: [tenantId, id] });
  return rows[0]?.traceId;
}
