import type { Pool } from 'pg';
import { logLevels } from './log-reads.ts';
import { cutOf, cutPage, type Cut, type CutRow } from '../budget/within-bytes.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

export interface TaskLogQuery {
  tenantId: TenantId;
  taskId: string;
  since: Date | undefined;
  until: Date | undefined;
  /** Counted from 0; null for every attempt. */
  attempt: number | null;
  /** Places in logLevels; empty for all. */
  levels: readonly number[];
  search: string | null;
  newestFirst: boolean;
  limit: number;
  /** A page ends before it is larger. */
  bytes: number;
}

export interface TaskLogLine {
  atMs: number;
  attempt: number;
  level: (typeof logLevels)[number];
  message: string;
  metadata: string;
}

interface TaskLogSqlRow {
  at: Date;
  attempt: number;
  level: number;
  message: string;
  metadata: string;
}

const filtered = `
  SELECT id, at, attempt, level, message, metadata, octet_length(message) + octet_length(metadata) AS bytes FROM log_line
  WHERE task_id = $1 AND tenant_id = $2
    AND at >= coalesce($3::timestamptz, '-infinity') AND at < coalesce($4::timestamptz, 'infinity')
    AND ($5::integer IS NULL OR attempt = $5)
    AND ($6::smallint[] IS NULL OR level = ANY ($6))
    AND ($7::text IS NULL OR position(lower($7) IN lower(message)) > 0)`;
const columns = ['at', 'attempt', 'level', 'message', 'metadata'];
const oldestFirst = {
  name: 'task_log_oldest',
  text: cutPage({ rows: `${filtered} ORDER BY id LIMIT $8`, columns, order: 'id', budget: '$9' }),
};
const newestFirst = {
  name: 'task_log_newest',
  text: cutPage({ rows: `${filtered} ORDER BY id DESC LIMIT $8`, columns, order: 'id DESC', budget: '$9' }),
};

/** One task's lines, from either end. */
export async function readTaskLog(pool: Pool, query: TaskLogQuery): Promise<Cut & { lines: TaskLogLine[] }> {
  const { rows } = await pool.query<TaskLogSqlRow & CutRow>({
    ...(query.newestFirst ? newestFirst : oldestFirst),
    values: [
      query.taskId,
      query.tenantId,
      query.since ?? null,
      query.until ?? null,
      query.attempt,
      query.levels.length === 0 ? null : query.levels,
      query.search,
      query.limit,
      query.bytes,
    ],
  });
  const lines = rows.map((row): TaskLogLine => ({
    atMs: row.at.getTime(),
    attempt: row.attempt,
    level: logLevels[row.level] ?? 'INFO',
    message: row.message,
    metadata: row.metadata,
  }));
  return { lines, ...cutOf(rows, query.limit) };
}
