import type { Pool } from 'pg';
import { RunStatus } from '../../model/task/status.ts';
import { liveRunHasBegun, liveTaskIsOpen } from './open-status.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

export interface RunCountFilter {
  tenantId: TenantId;
  /** Bounds as UUIDs. */
  sinceId: string | null;
  untilId: string | null;
  workflowIds: readonly string[];
  /** JSON object that the metadata must contain. */
  metadata: string | null;
  parentTaskId: string | null;
  /** Only runs that it has started. */
  eventId: string | null;
}

const asked = `($4::uuid[] IS NULL OR r.workflow_id = ANY ($4)) AND ($5::jsonb IS NULL OR r.metadata @> $5) AND ($6::uuid IS NULL OR r.parent_task_id = $6)`;
const ofEvent = (id: string): string =>
  `($7::uuid IS NULL OR ${id} IN (SELECT v.run_id FROM event_run v WHERE v.event_id = $7))`;
const chosen = (id: string): string => `
      ($4::uuid[] IS NULL AND $5::jsonb IS NULL AND $6::uuid IS NULL OR EXISTS (SELECT FROM run r WHERE r.id = ${id} AND ${asked}))
      AND ${ofEvent(id)}`;

/**
 * Unfinished runs by `live`, which holds nothing else; those that failed or were cancelled by their ends, of a replayed one by the
 * newest. All others have completed: most of these have no row that says it of the run. They are counted by the index of a tenant's
 * runs alone unless a filter asks for more.
 */
const countRuns = {
  name: 'count_runs',
  text: `
    WITH others AS (
      SELECT s.status, count(*)::integer AS count
      FROM (
        SELECT DISTINCT ON (e.run_id) e.run_id AS id, e.status::integer AS status
        FROM run_end e
        WHERE e.tenant_id = $1 AND ($2::uuid IS NULL OR e.run_id >= $2) AND ($3::uuid IS NULL OR e.run_id < $3)
        ORDER BY e.run_id, e.generation DESC, e.status DESC
      ) s
      WHERE s.status IN (4, 5) AND ${chosen('s.id')}
      GROUP BY s.status
      UNION ALL
      SELECT s.status, count(*)::integer
      FROM (
        SELECT l.run_id AS id, CASE WHEN ${liveRunHasBegun} THEN 2 ELSE 1 END AS status
        FROM live l
        WHERE l.tenant_id = $1 AND ${liveTaskIsOpen} AND ($2::uuid IS NULL OR l.run_id >= $2) AND ($3::uuid IS NULL OR l.run_id < $3)
        GROUP BY l.run_id
      ) s
      WHERE ${chosen('s.id')}
      GROUP BY s.status
    )
    SELECT status, count FROM others
    UNION ALL
    SELECT 3, greatest(count(*) - (SELECT coalesce(sum(count), 0) FROM others), 0)::integer
    FROM run r
    WHERE r.tenant_id = $1 AND ($2::uuid IS NULL OR r.id >= $2) AND ($3::uuid IS NULL OR r.id < $3) AND ${asked} AND ${ofEvent('r.id')}`,
};

const counted = [
  RunStatus.Queued,
  RunStatus.Running,
  RunStatus.Completed,
  RunStatus.Failed,
  RunStatus.Cancelled,
] as const;

/** How many runs there are of each status, those of which there are none included. */
export async function readRunCounts(
  pool: Pool,
  filter: RunCountFilter,
): Promise<{ status: RunStatus; count: number }[]> {
  const { rows } = await pool.query<{ status: RunStatus; count: number }>({
    ...countRuns,
    values: [
      filter.tenantId,
      filter.sinceId,
      filter.untilId,
      filter.workflowIds.length === 0 ? null : filter.workflowIds,
      filter.metadata,
      filter.parentTaskId,
      filter.eventId,
    ],
  });
  return counted.map((status) => ({ status, count: rows.find((row) => row.status === status)?.count ?? 0 }));
}
