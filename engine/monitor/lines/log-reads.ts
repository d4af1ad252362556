import type { Pool } from 'pg';
import { cutOf, cutPage, type Cut, type CutRow } from '../budget/within-bytes.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

export const logLevels = ['DEBUG', 'INFO', 'WARN', 'ERROR'] as const;

export interface LogLine {
  cursor: string;
  atMs: number;
  taskId: string;
  stepName: string;
  attempt: number;
  level: (typeof logLevels)[number];
  message: string;
  /** JSON object. */
  metadata: string;
}

interface LogSqlRow {
  id: string;
  at: Date;
  task_id: string;
  step_name: string;
  attempt: number;
  level: number;
  message: string;
  metadata: string;
}

const lineRows = (order: string): string => `
  SELECT g.id, g.at, g.task_id, v.definition -> 'steps' -> t.step::integer ->> 'name' AS step_name, g.attempt, g.level, g.message, g.metadata, octet_length(g.message) + octet_length(g.metadata) AS bytes
  FROM (SELECT t.id, t.run_id, t.step FROM task t WHERE t.run_id = $2 OR t.id = $2 UNION ALL SELECT o.id, o.id, 0::smallint FROM run o WHERE o.id = $2 AND o.one_task) t
  JOIN run r ON r.id = t.run_id AND r.tenant_id = $1
  JOIN workflow_version v ON v.id = r.version_id
  JOIN log_line g ON g.task_id = t.id
  WHERE g.id > $3
    AND ($4::smallint[] IS NULL OR g.level = ANY ($4))
    AND ($5::text IS NULL OR position(lower($5) IN lower(g.message)) > 0)
  ORDER BY g.${order} LIMIT $6`;
const columns = ['id', 'at', 'task_id', 'step_name', 'attempt', 'level', 'message', 'metadata'];
const readOldest = {
  name: 'read_log_lines',
  text: cutPage({ rows: lineRows('id'), columns, order: 'id', budget: '$7' }),
};
const readNewest = {
  name: 'read_last_log_lines',
  text: cutPage({ rows: lineRows('id DESC'), columns, order: 'id DESC', budget: '$7' }),
};

interface LogQuery {
  tenantId: TenantId;
  id: string;
  after: string | null;
  levels: readonly number[];
  search: string | null;
  /** The last lines instead of the first; they come in the same order. */
  newest: boolean;
  limit: number;
  /** A page ends before it is larger. */
  bytes: number;
}

/** Lines of a run, or of one task, in the order in which they were stored. */
export async function readLogLines(pool: Pool, query: LogQuery): Promise<Cut & { lines: LogLine[] }> {
  const { rows } = await pool.query<LogSqlRow & CutRow>({
    ...(query.newest ? readNewest : readOldest),
    values: [
      query.tenantId,
      query.id,
      query.after ?? '0',
      query.levels.length === 0 ? null : query.levels,
      query.search,
      query.limit,
      query.bytes,
    ],
  });
  const lines = rows.map((row): LogLine => ({
    cursor: row.id,
    atMs: row.at.getTime(),
    taskId: row.task_id,
    stepName: row.step_name,
    attempt: row.attempt,
    level: logLevels[row.level] ?? 'INFO',
    message: row.message,
    metadata: row.metadata,
  }));
  return { lines: query.newest ? lines.reverse() : lines, ...cutOf(rows, query.limit) };
}
