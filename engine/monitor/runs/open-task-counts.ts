import type { Pool } from 'pg';
import type { TenantId } from '../../model/ids/tenant-id.ts';
import { liveTaskIsOpen } from './open-status.ts';

/** Unfinished tasks of a workflow whose runs have some metadata. */
export interface OpenTaskCounts {
  workflowId: string;
  queued: number;
  running: number;
  pending: number;
}

/** By `live`, which has all tasks that have not ended; their runs are looked up one by one. The states are those of `LiveState`. */
const countOpenTasks = {
  name: 'count_open_tasks',
  text: `
    SELECT r.workflow_id AS "workflowId",
      (count(*) FILTER (WHERE l.state IN (1, 2, 5, 6)))::integer AS queued,
      (count(*) FILTER (WHERE l.state IN (3, 4, 7)))::integer AS running,
      (count(*) FILTER (WHERE l.state = 0))::integer AS pending
    FROM live l
    JOIN LATERAL (SELECT r.workflow_id, r.metadata FROM run r WHERE r.id = l.run_id OFFSET 0) r ON r.metadata @> $2::jsonb
    WHERE l.tenant_id = $1 AND ${liveTaskIsOpen}
    GROUP BY r.workflow_id`,
};

/** Of a tenant's unfinished runs with some metadata, how many tasks wait and run, by workflow. Memory has no metadata. */
export async function readOpenTaskCounts(pool: Pool, tenantId: TenantId, metadata: string): Promise<OpenTaskCounts[]> {
  return (await pool.query<OpenTaskCounts>({ ...countOpenTasks, values: [tenantId, metadata] })).rows;
}
