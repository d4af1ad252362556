import type { Pool } from 'pg';
import { payloadPage, shownPayloads, type LeftOutSizes, type PayloadSizes } from './budget/within-bytes.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

export interface StoredCron extends LeftOutSizes {
  id: string;
  workflowId: string;
  workflowName: string;
  versionId: string;
  name: string;
  expression: string;
  zone: string;
  input: string;
  metadata: string;
  priority: number | null;
  enabled: boolean;
  isDeclared: boolean;
  nextUs: string;
  lastError: string | null;
}

export interface StoredSchedule extends LeftOutSizes {
  id: string;
  workflowId: string;
  workflowName: string;
  versionId: string;
  dueUs: string;
  input: string;
  metadata: string;
  priority: number | null;
  runId: string | null;
  error: string | null;
}

export interface TimerQuery {
  tenantId: TenantId;
  id: string | null;
  workflowId: string | null;
  workflowName: string | null;
  /** Of a cron. */
  name: string | null;
  /** JSON object that the metadata must contain. */
  metadata: string | null;
  offset: number;
  limit: number;
  /** That inputs and metadata may have together; 0 reads none of them. */
  payloadBytes: number;
}

const newestVersion = `(SELECT v.id FROM workflow_version v WHERE v.workflow_id = w.id ORDER BY ordinal DESC LIMIT 1)`;

const cronColumns = [
  'id',
  '"workflowId"',
  '"workflowName"',
  '"versionId"',
  'name',
  'expression',
  'zone',
  'priority',
  'enabled',
  '"isDeclared"',
  '"nextUs"',
  '"lastError"',
];
const cronRows = `
  SELECT c.id, c.workflow_id AS "workflowId", w.name AS "workflowName", ${newestVersion} AS "versionId", c.name, c.expression, c.zone, c.input, c.metadata,
    c.priority, c.enabled, c.is_declared AS "isDeclared", c.next_us AS "nextUs", c.last_error AS "lastError"
  FROM cron c JOIN workflow w ON w.id = c.workflow_id
  WHERE c.tenant_id = $1 AND ($2::uuid IS NULL OR c.id = $2) AND ($3::uuid IS NULL OR c.workflow_id = $3) AND ($4::text IS NULL OR w.name = $4)
    AND ($5::text IS NULL OR c.name = $5) AND ($6::jsonb IS NULL OR c.metadata @> $6)
  ORDER BY c.id DESC OFFSET $7 LIMIT $8`;
const cronText = {
  name: 'list_crons',
  text: payloadPage({ rows: cronRows, columns: cronColumns, payload: 'input', order: 'id DESC', budget: '$9' }),
};

const scheduleColumns = [
  'id',
  '"workflowId"',
  '"workflowName"',
  '"versionId"',
  '"dueUs"',
  'priority',
  '"runId"',
  'error',
];
const scheduleRows = `
  SELECT s.id, s.workflow_id AS "workflowId", w.name AS "workflowName", ${newestVersion} AS "versionId", s.due_us AS "dueUs", s.input, s.metadata,
    s.priority, s.run_id AS "runId", s.error
  FROM schedule s JOIN workflow w ON w.id = s.workflow_id
  WHERE s.tenant_id = $1 AND ($2::uuid IS NULL OR s.id = $2) AND ($3::uuid IS NULL OR s.workflow_id = $3) AND ($4::text IS NULL OR w.name = $4) AND ($5::jsonb IS NULL OR s.metadata @> $5)
  ORDER BY s.id DESC OFFSET $6 LIMIT $7`;
const scheduleText = {
  name: 'list_schedules',
  text: payloadPage({ rows: scheduleRows, columns: scheduleColumns, payload: 'input', order: 'id DESC', budget: '$8' }),
};

/** As Postgres gives it. */
type SqlRow<Stored extends LeftOutSizes> = Omit<Stored, 'input' | 'metadata' | keyof LeftOutSizes> &
  PayloadSizes & { input: string | null; metadata: string | null };

function withPayloads<Row extends PayloadSizes & { input: string | null; metadata: string | null }>(row: Row) {
  const { payload, ...shown } = shownPayloads(row, row.input);
  return { ...row, ...shown, input: payload };
}

export async function listCrons(pool: Pool, query: TimerQuery): Promise<StoredCron[]> {
  const { tenantId, id, workflowId, workflowName, name, metadata, offset, limit, payloadBytes } = query;
  const { rows } = await pool.query<SqlRow<StoredCron>>({
    ...cronText,
    values: [
      tenantId,
      id,
      workflowId,
      workflowName,
      name,
      metadata,
      offset,
      limit,
      payloadBytes === 0 ? null : payloadBytes,
    ],
  });
  return rows.map(withPayloads);
}

export async function listSchedules(pool: Pool, query: TimerQuery): Promise<StoredSchedule[]> {
  const { tenantId, id, workflowId, workflowName, metadata, offset, limit, payloadBytes } = query;
  const { rows } = await pool.query<SqlRow<StoredSchedule>>({
    ...scheduleText,
    values: [tenantId, id, workflowId, workflowName, metadata, offset, limit, payloadBytes === 0 ? null : payloadBytes],
  });
  return rows.map(withPayloads);
}
