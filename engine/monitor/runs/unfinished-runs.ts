import type { Pool } from 'pg';
import { liveRunHasBegun, liveTaskIsOpen } from './open-status.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

export interface UnfinishedFilter {
  tenantId: TenantId;
  queued: boolean;
  running: boolean;
  workflowIds: readonly string[];
  /** Bounds as UUIDs. */
  sinceId: string | null;
  untilId: string | null;
  /** JSON object that the metadata must contain. */
  metadata: string | null;
}

/**
 * Ids of unfinished runs, newest first, read once: the list is bounded by `live`, which holds nothing else.
 * (Paging through summaries instead took 25 s for 100,000 runs.)
 */
const unfinishedRuns = {
  name: 'unfinished_runs',
  text: `
    SELECT l.run_id AS id
    FROM live l
    JOIN run r ON r.id = l.run_id
    WHERE l.tenant_id = $1 AND ${liveTaskIsOpen}
      AND ($4::uuid[] IS NULL OR r.workflow_id = ANY ($4))
      AND ($5::uuid IS NULL OR l.run_id >= $5)
      AND ($6::uuid IS NULL OR l.run_id < $6)
      AND ($7::jsonb IS NULL OR r.metadata @> $7)
    GROUP BY l.run_id
    HAVING CASE WHEN ${liveRunHasBegun} THEN $3::boolean ELSE $2::boolean END
    ORDER BY l.run_id DESC`,
};

export async function readUnfinishedRuns(pool: Pool, filter: UnfinishedFilter): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>({
    ...unfinishedRuns,
    values: [
      filter.tenantId,
      filter.queued,
      filter.running,
      filter.workflowIds.length === 0 ? null : filter.workflowIds,
      filter.sinceId,
      filter.untilId,
      filter.metadata,
    ],
  });
  return rows.map((row) => row.id);
}
