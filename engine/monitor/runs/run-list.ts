import { RunStatus } from '../../model/task/status.ts';
import type { Reader } from '../read-snapshot.ts';
import { leftOut, withinBytes } from '../budget/within-bytes.ts';
import { areUnfinished, liveRunHasBegun, liveTaskHasBegun, liveTaskIsOpen, openRunStatus } from './open-status.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';
import { liveOf, newestEndOf, runsOf, tasksOf, wasAssigned } from '../../postgres/rows-of-a-run.ts';

export interface RunListFilter {
  tenantId: TenantId;
  statuses: readonly RunStatus[];
  workflowNames: readonly string[];
  workflowIds: readonly string[];
  /** Bounds as UUIDs: lists go by id, which is dated. */
  sinceId: string | null;
  untilId: string | null;
  /** JSON object that the metadata must contain. */
  metadata: string | null;
  search: string | null;
  /** Only runs that one of these tasks has spawned. */
  parentTaskIds: readonly string[] | null;
  /** Only runs that it has started. */
  eventId?: string | null;
  /** Only runs of which it was assigned a task at any time. */
  workerId?: string | null;
  /** Ids below this one: the page before ended there. */
  beforeId: string | null;
  limit: number;
  /** Rows passed over, for pages by number; default 0. `beforeId` costs less. */
  offset?: number;
  /** That metadata and errors may have together: what is beyond is left out. Without it, none of them is read. */
  payloadBytes?: number;
}

export interface RunSummary {
  id: string;
  workflowId: string;
  workflowName: string;
  status: RunStatus;
  priority: number;
  /** JSON object. */
  metadata: string;
  taskCount: number;
  parentTaskId: string | null;
  startedUs: number | null;
  finishedUs: number | null;
  error: string | null;
  /** Bytes that were beyond the budget: the metadata is an empty object then, the error null. */
  metadataLeftOut: number;
  errorLeftOut: number;
}

interface RunSummarySqlRow {
  id: string;
  workflow_id: string;
  workflow_name: string;
  status: RunStatus;
  priority: number;
  metadata: string | null;
  metadata_bytes: number;
  task_count: number;
  parent_task_id: string | null;
  started_us: string | null;
  finished_us: string | null;
  error: string | null;
  error_bytes: number | null;
}

/**
 * Joins to a run `r` its end `e`, and its status and the number of its tasks `s`. Of a replayed run its newest generation; a task
 * that was left alone counts with the result it had.
 */
const withStatus = `
    LEFT JOIN LATERAL (SELECT nullif(n.status, 0) AS status, CASE WHEN n.status <> 0 THEN n.seq END AS seq FROM ${newestEndOf('r.id')} n) e ON true
    JOIN LATERAL (
      SELECT count(*)::integer AS task_count,
        coalesce(e.status, ${openRunStatus})::integer AS status
      FROM ${tasksOf('r')} t LEFT JOIN LATERAL ${liveOf('t.id')} l ON true
    ) s ON true`;

const readStatuses = {
  name: 'read_run_statuses',
  text: `SELECT r.id, s.status FROM run r ${withStatus} WHERE r.tenant_id = $1 AND r.id = ANY ($2::uuid[])`,
};

/** By id; of a run that is gone, or another tenant's, none. */
export async function readRunStatuses(
  reader: Reader,
  tenantId: TenantId,
  runIds: readonly string[],
): Promise<Map<string, RunStatus>> {
  const { rows } = await reader.query<{ id: string; status: RunStatus }>({
    ...readStatuses,
    values: [tenantId, runIds],
  });
  return new Map(rows.map((row) => [row.id, row.status]));
}

/** Walks the tenant's runs from the newest down and stops at the limit; statuses are looked up by primary key. */
const rowsText = (source: string): string => `
    SELECT r.id, r.workflow_id, w.name AS workflow_name, s.status, r.priority, r.metadata, CASE WHEN $15::bigint IS NULL THEN 0 ELSE octet_length(r.metadata::text) END AS metadata_bytes,
      s.task_count, r.parent_task_id, h.started_us, e.seq AS finished_us, f.error, octet_length(f.error) AS error_bytes
    FROM ${source}
    JOIN workflow w ON w.id = r.workflow_id
    ${withStatus}
    LEFT JOIN LATERAL (
      SELECT min(h.started_us) AS started_us FROM ${tasksOf('r')} t CROSS JOIN LATERAL (
        SELECT min(h.seq) AS started_us FROM history h
        WHERE h.task_id = t.id AND h.kinds LIKE '%S%' AND h.seq >= coalesce((SELECT max(o.seq) FROM run_end o WHERE o.run_id = r.id AND o.status = 0), 0)
      ) h
    ) h ON true
    LEFT JOIN LATERAL (
      SELECT x.error FROM ${tasksOf('r')} t
      JOIN LATERAL (SELECT x.status, x.error, x.seq FROM result x WHERE x.task_id = t.id ORDER BY x.generation DESC LIMIT 1) x ON x.status = 4
      ORDER BY x.seq LIMIT 1
    ) f ON e.status = 4
    WHERE r.tenant_id = $1
      AND ($2::integer[] IS NULL OR s.status = ANY ($2))
      AND ($3::text[] IS NULL OR w.name = ANY ($3))
      AND ($4::uuid[] IS NULL OR r.workflow_id = ANY ($4))
      AND r.id >= coalesce($5::uuid, '00000000-0000-0000-0000-000000000000')
      AND r.id < coalesce($6::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
      AND ($7::jsonb IS NULL OR r.metadata @> $7)
      AND ($8::text IS NULL OR position($8 IN r.id::text) > 0 OR position($8 IN lower(w.name)) > 0)
      AND r.id < coalesce($10::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
      AND ($13::uuid IS NULL OR EXISTS (SELECT FROM ${tasksOf('r')} t WHERE ${wasAssigned('t.id', '$13')}))
      AND ($14::uuid IS NULL OR EXISTS (SELECT FROM event_run v WHERE v.event_id = $14 AND v.run_id = r.id))
    ORDER BY r.id DESC LIMIT $11 OFFSET $12`;

const text = (source: string): string => `
    SELECT p.id, p.workflow_id, p.workflow_name, p.status, p.priority, p.metadata_bytes, p.error_bytes, p.task_count, p.parent_task_id, p.started_us, p.finished_us,
      CASE WHEN p.metadata_fits THEN p.metadata::text END AS metadata, CASE WHEN p.error_fits THEN p.error END AS error
    FROM (
      SELECT p.*, ${withinBytes('p.metadata_bytes', { order: 'p.id DESC', budget: '$15' })} AS metadata_fits,
        ${withinBytes('coalesce(p.error_bytes, 0)', { order: 'p.id DESC', budget: '$15', before: 'sum(p.metadata_bytes) OVER ()' })} AS error_fits
      FROM (${rowsText(source)}) p
    ) p
    ORDER BY p.id DESC`;

const listRuns = { name: 'list_runs', text: text('(SELECT * FROM run WHERE $9::uuid[] IS NULL) r') };
/** By the parents' index instead: a list's walk from the newest down would pass all runs that are nobody's children. */
const listChildren = {
  name: 'list_child_runs',
  text: text('unnest($9::uuid[]) AS p (id) JOIN run r ON r.parent_task_id = p.id'),
};
/** By the index of ends, for the same reason: seven runs that failed long ago stand behind all newer ones. */
const listEndedRuns = {
  name: 'list_ended_runs',
  text: text(
    `${runsOf(`
      SELECT g.run_id AS id FROM run_end g
      WHERE g.tenant_id = $1 AND g.status = ($2::integer[])[1] AND $9::uuid[] IS NULL
        AND NOT EXISTS (SELECT FROM run_end o WHERE o.run_id = g.run_id AND o.tenant_id = g.tenant_id AND o.status = g.status AND o.generation > g.generation)
    `)} r`,
  ),
};
/**
 * By `live`, for the same reason: it has all runs that have not ended. Those that it shows not to have a status that is asked for are
 * passed over there; where QUEUED is one, whether another task has ended is left to the walk, which stops at the limit.
 */
const listUnfinishedRuns = {
  name: 'list_unfinished_runs',
  text: text(
    `${runsOf(`
      SELECT l.run_id AS id FROM live l
      WHERE l.tenant_id = $1 AND ${liveTaskIsOpen} AND $9::uuid[] IS NULL
      GROUP BY l.run_id
      HAVING CASE
        WHEN NOT ${RunStatus.Queued} = ANY ($2::integer[]) THEN ${liveRunHasBegun}
        ELSE $2::integer[] && '{${RunStatus.Running},${RunStatus.Evicted}}' OR NOT bool_or(${liveTaskHasBegun})
      END
      ORDER BY l.run_id DESC
    `)} r`,
  ),
};
/** By the event's own rows, for the same reason. */
const listEventRuns = {
  name: 'list_event_runs',
  text: text(
    `${runsOf('SELECT v.run_id AS id FROM event_run v WHERE v.event_id = $14 AND $9::uuid[] IS NULL ORDER BY v.run_id DESC')} r`,
  ),
};

function orNull<T>(list: readonly T[]): readonly T[] | null {
  return list.length === 0 ? null : list;
}

function statementFor({ parentTaskIds, eventId, statuses }: RunListFilter): { name: string; text: string } {
  if (parentTaskIds !== null) return listChildren;
  if ((eventId ?? null) !== null) return listEventRuns;
  if (areUnfinished(statuses)) return listUnfinishedRuns;
  // Most runs complete: they are found soon from the newest down.
  const [status] = statuses;
  return statuses.length === 1 && (status === RunStatus.Failed || status === RunStatus.Cancelled)
    ? listEndedRuns
    : listRuns;
}

export async function listRunSummaries(reader: Reader, filter: RunListFilter): Promise<RunSummary[]> {
  const { rows } = await reader.query<RunSummarySqlRow>({
    ...statementFor(filter),
    values: [
      filter.tenantId,
      orNull(filter.statuses),
      orNull(filter.workflowNames),
      orNull(filter.workflowIds),
      filter.sinceId,
      filter.untilId,
      filter.metadata,
      filter.search?.toLowerCase() ?? null,
      filter.parentTaskIds,
      filter.beforeId,
      filter.limit,
      filter.offset ?? 0,
      filter.workerId ?? null,
      filter.eventId ?? null,
      filter.payloadBytes ?? null,
    ],
  });
  return rows.map((row) => ({
    id: row.id,
    workflowId: row.workflow_id,
    workflowName: row.workflow_name,
    status: row.status,
    priority: row.priority,
    metadata: row.metadata ?? '{}',
    taskCount: row.task_count,
    parentTaskId: row.parent_task_id,
    startedUs: row.started_us === null ? null : Number(row.started_us),
    finishedUs: row.finished_us === null ? null : Number(row.finished_us),
    error: row.error,
    metadataLeftOut: leftOut(row.metadata_bytes, row.metadata),
    errorLeftOut: leftOut(row.error_bytes, row.error),
  }));
}

/** Bytes of what a page has brought, and of what it left out. */
export function summarySize(rows: readonly RunSummary[]): { brought: number; leftOut: number } {
  return {
    brought: rows.reduce((sum, row) => sum + row.metadata.length + (row.error?.length ?? 0), 0),
    leftOut: rows.reduce((sum, row) => sum + row.metadataLeftOut + row.errorLeftOut, 0),
  };
}
