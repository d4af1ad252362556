import type { Pool } from 'pg';
import type { TenantId } from '../../model/ids/tenant-id.ts';

const childCounts = {
  name: 'child_counts',
  text: `
    SELECT r.parent_task_id AS task_id, count(*)::integer AS children
    FROM unnest($2::uuid[]) AS u (id) JOIN run r ON r.parent_task_id = u.id AND r.tenant_id = $1
    GROUP BY 1`,
};

/** How many runs each of the tasks has spawned; those without any are left out. */
export async function readChildCounts(
  pool: Pool,
  tenantId: TenantId,
  taskIds: readonly string[],
): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ task_id: string; children: number }>({
    ...childCounts,
    values: [tenantId, taskIds],
  });
  return new Map(rows.map((row) => [row.task_id, row.children]));
}
