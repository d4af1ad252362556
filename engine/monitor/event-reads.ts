import type { Pool } from 'pg';
import { groupBy } from '../model/group-by.ts';
import { payloadPage, shownPayloads, type LeftOutSizes, type PayloadSizes } from './budget/within-bytes.ts';
import { liveTaskHasBegun } from './runs/open-status.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';
import { liveOf, newestEndOf, tasksOf } from '../postgres/rows-of-a-run.ts';

export interface StoredEvent {
  id: string;
  key: string;
  scope: string | null;
  payload: string;
  metadata: string;
  /** The webhook that it came by. */
  webhookName: string | null;
}

const byId = {
  name: 'event_by_id',
  text: `SELECT id, key, scope, payload, metadata::text AS metadata, webhook_name AS "webhookName" FROM event WHERE id = $2 AND tenant_id = $1`,
};

export async function readEvent(pool: Pool, tenantId: TenantId, id: string): Promise<StoredEvent | undefined> {
  const { rows } = await pool.query<StoredEvent>({ ...byId, values: [tenantId, id] });
  return rows[0];
}

/** How the runs that an event started stand. */
export interface ListedEvent extends StoredEvent, LeftOutSizes {
  queued: number;
  running: number;
  completed: number;
  failed: number;
  cancelled: number;
  runs: { runId: string; filterId: string | null }[];
}

export interface EventQuery {
  tenantId: TenantId;
  keys: readonly string[];
  ids: readonly string[];
  scopes: readonly string[];
  /** JSON object that the event's metadata must contain; null for any. */
  metadata: string | null;
  sinceId: string | null;
  untilId: string | null;
  offset: number;
  limit: number;
  /** That payloads and metadata may have together. */
  payloadBytes: number;
}

const listRows = `
    SELECT id, key, scope, payload, metadata, webhook_name AS "webhookName" FROM event
    WHERE tenant_id = $1 AND (cardinality($2::text[]) = 0 OR key = ANY ($2)) AND (cardinality($3::uuid[]) = 0 OR id = ANY ($3))
      AND (cardinality($4::text[]) = 0 OR scope = ANY ($4)) AND ($5::jsonb IS NULL OR metadata @> $5)
      AND ($6::uuid IS NULL OR id >= $6) AND ($7::uuid IS NULL OR id < $7)
    ORDER BY id DESC OFFSET $8 LIMIT $9`;
/** Newest first. */
const listText = {
  name: 'list_events',
  text: payloadPage({
    rows: listRows,
    columns: ['id', 'key', 'scope', '"webhookName"'],
    payload: 'payload',
    order: 'id DESC',
    budget: '$10',
  }),
};

type EventSqlRow = Omit<StoredEvent, 'payload' | 'metadata'> &
  PayloadSizes & { payload: string | null; metadata: string | null };

/** The newest generation's end counts; a run with unfinished tasks has not ended. */
const runsText = {
  name: 'event_runs',
  text: `
    SELECT e.event_id, e.run_id, e.filter_id,
      (SELECT max(CASE WHEN ${liveTaskHasBegun} THEN 2 ELSE 1 END) FROM run r CROSS JOIN LATERAL ${tasksOf('r')} t CROSS JOIN LATERAL ${liveOf('t.id')} l WHERE r.id = e.run_id) AS open,
      (SELECT nullif(n.status, 0) FROM ${newestEndOf('e.run_id')} n) AS status
    FROM unnest($1::uuid[]) AS u (id) JOIN event_run e ON e.event_id = u.id
    ORDER BY e.event_id, e.run_id`,
};

interface EventRunSqlRow {
  event_id: string;
  run_id: string;
  filter_id: string | null;
  open: number | null;
  status: number | null;
}

export async function listEvents(pool: Pool, query: EventQuery): Promise<ListedEvent[]> {
  const { tenantId, keys, ids, scopes, metadata, sinceId, untilId, offset, limit, payloadBytes } = query;
  const events = await pool.query<EventSqlRow>({
    ...listText,
    values: [tenantId, keys, ids, scopes, metadata, sinceId, untilId, offset, limit, payloadBytes],
  });
  const runs = await pool.query<EventRunSqlRow>({ ...runsText, values: [events.rows.map((event) => event.id)] });
  const byEvent = groupBy(runs.rows, (run) => run.event_id);
  return events.rows.map((event) => withRuns(event, byEvent.get(event.id) ?? []));
}

function withRuns(row: EventSqlRow, runs: readonly EventRunSqlRow[]): ListedEvent {
  const event = { ...row, ...shownPayloads(row, row.payload) };
  const count = (status: number): number => runs.filter((run) => (run.status ?? run.open ?? 1) === status).length;
  return {
    ...event,
    queued: count(1),
    running: count(2),
    completed: count(3),
    failed: count(4),
    cancelled: count(5),
    runs: runs.map((run) => ({ runId: run.run_id, filterId: run.filter_id })),
  };
}

const keysText = {
  name: 'event_keys',
  text: `SELECT DISTINCT key FROM event WHERE tenant_id = $1 ORDER BY key LIMIT 1000`,
};

export async function listEventKeys(pool: Pool, tenantId: TenantId): Promise<string[]> {
  const { rows } = await pool.query<{ key: string }>({ ...keysText, values: [tenantId] });
  return rows.map((row) => row.key);
}
