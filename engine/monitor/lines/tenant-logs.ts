import type { TenantId } from '../../model/ids/tenant-id.ts';
import { taskNamed } from '../../postgres/rows-of-a-run.ts';
import { cutOf, cutPage, type Cut, type CutRow } from '../budget/within-bytes.ts';
import type { Reader } from '../read-snapshot.ts';
import { logLevels } from './log-reads.ts';
import type { TaskLogLine } from './task-logs.ts';

/** Which lines of a tenant are meant, but for their time. */
export interface LogFilter {
  tenantId: TenantId;
  /** Counted from 0; null for every attempt. */
  attempt: number | null;
  /** Places in logLevels; empty for all. */
  levels: readonly number[];
  search: string | null;
  /** Empty for all tasks; the same for workflows. */
  taskIds: readonly string[];
  workflowIds: readonly string[];
  /** Null for all steps. */
  steps: readonly NamedStep[] | null;
}

/** A step of a version. */
export interface NamedStep {
  versionId: string;
  /** Its place. */
  step: number;
}

/** From the first moment on, up to the second. */
export interface LogWindow {
  fromMs: number | undefined;
  untilMs: number | undefined;
}

/**
 * SQL: the lines `g` of a filter, whose values are the first ten: see `filterValues`.
 * @param ofTasks that tasks are named: their lines are found by them, all others by the tenant and the time
 */
export function filteredLines(ofTasks: boolean): string {
  return `
    FROM log_line g
    WHERE g.tenant_id = $1 AND ${ofTasks ? 'g.task_id = ANY ($7::uuid[])' : '$7::uuid[] IS NULL'}
      AND g.at >= coalesce($2::timestamptz, '-infinity') AND g.at < coalesce($3::timestamptz, 'infinity')
      AND ($4::integer IS NULL OR g.attempt = $4)
      AND ($5::smallint[] IS NULL OR g.level = ANY ($5))
      AND ($6::text IS NULL OR position(lower($6) IN lower(g.message)) > 0)
      AND ($8::uuid[] IS NULL AND $9::uuid[] IS NULL OR EXISTS (
        SELECT FROM ${taskNamed('g.task_id')} t
        JOIN LATERAL (SELECT r.workflow_id, r.version_id FROM run r WHERE r.id = t.run_id OFFSET 0) r ON true
        WHERE ($8::uuid[] IS NULL OR r.workflow_id = ANY ($8))
          AND ($9::uuid[] IS NULL OR (r.version_id, t.step::integer) IN (SELECT n.version_id, n.step FROM unnest($9::uuid[], $10::integer[]) AS n (version_id, step)))
      ))`;
}

export function filterValues(filter: LogFilter, { fromMs, untilMs }: LogWindow): unknown[] {
  const orNull = <T>(list: readonly T[]): readonly T[] | null => (list.length === 0 ? null : list);
  return [
    filter.tenantId,
    fromMs === undefined ? null : new Date(fromMs),
    untilMs === undefined ? null : new Date(untilMs),
    filter.attempt,
    orNull(filter.levels),
    filter.search,
    orNull(filter.taskIds),
    orNull(filter.workflowIds),
    filter.steps?.map(({ versionId }) => versionId) ?? null,
    filter.steps?.map(({ step }) => step) ?? null,
  ];
}

const columns = ['task_id', 'at', 'attempt', 'level', 'message', 'metadata'];

function pageOf({ ofTasks, newestFirst }: { ofTasks: boolean; newestFirst: boolean }): { name: string; text: string } {
  const [direction, shown] = newestFirst ? [' DESC', 'newest'] : ['', 'oldest'];
  const rows = `
    SELECT g.id, g.task_id, g.at, g.attempt, g.level, g.message, g.metadata, octet_length(g.message) + octet_length(g.metadata) AS bytes
    ${filteredLines(ofTasks)}
    ORDER BY g.at${direction}, g.id${direction} LIMIT $11`;
  return {
    name: `tenant_log_${shown}${ofTasks ? '_of_tasks' : ''}`,
    text: cutPage({ rows, columns, order: `at${direction}, p.id${direction}`, budget: '$12' }),
  };
}

const pages = [
  pageOf({ ofTasks: false, newestFirst: false }),
  pageOf({ ofTasks: false, newestFirst: true }),
  pageOf({ ofTasks: true, newestFirst: false }),
  pageOf({ ofTasks: true, newestFirst: true }),
] as const;

export interface TenantLogLine extends TaskLogLine {
  taskId: string;
}

interface TenantLogSqlRow {
  task_id: string;
  at: Date;
  attempt: number;
  level: number;
  message: string;
  metadata: string;
}

/** Lines of a tenant's tasks by their time, from either end. A page ends before it is larger than so many bytes. */
export async function readTenantLog(
  reader: Reader,
  filter: LogFilter,
  page: LogWindow & { newestFirst: boolean; limit: number; bytes: number },
): Promise<Cut & { lines: TenantLogLine[] }> {
  const place = (filter.taskIds.length > 0 ? 2 : 0) + (page.newestFirst ? 1 : 0);
  const { rows } = await reader.query<TenantLogSqlRow & CutRow>({
    ...(pages[place] ?? pages[0]),
    values: [...filterValues(filter, page), page.limit, page.bytes],
  });
  const lines = rows.map((row): TenantLogLine => ({
    taskId: row.task_id,
    atMs: row.at.getTime(),
    attempt: row.attempt,
    level: logLevels[row.level] ?? 'INFO',
    message: row.message,
    metadata: row.metadata,
  }));
  return { lines, ...cutOf(rows, page.limit) };
}

/** The ids that the contract gives steps are a hash of the version and the place: see `stepId` of the messages. */
const findSteps = {
  name: 'steps_of_ids',
  text: `
    SELECT s.version_id AS "versionId", s.step
    FROM (
      SELECT v.id AS version_id, n.step, encode(sha256(convert_to(v.id::text || ' ' || n.step, 'UTF8')), 'hex') AS hash
      FROM workflow_version v CROSS JOIN LATERAL generate_series(0, jsonb_array_length(v.definition -> 'steps') - 1) AS n (step)
      WHERE v.tenant_id = $1
    ) s
    WHERE (substr(hash, 1, 8) || '-' || substr(hash, 9, 4) || '-8' || substr(hash, 13, 3) || '-8' || substr(hash, 16, 3) || '-' || substr(hash, 19, 12))::uuid = ANY ($2::uuid[])`,
};

/** Which steps of a tenant's versions have the ids. */
export async function stepsNamed(reader: Reader, tenantId: TenantId, stepIds: readonly string[]): Promise<NamedStep[]> {
  return (await reader.query<NamedStep>({ ...findSteps, values: [tenantId, stepIds] })).rows;
}
