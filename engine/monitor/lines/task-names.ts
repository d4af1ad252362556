import type { Pool } from 'pg';
import type { TenantId } from '../../model/ids/tenant-id.ts';
import { taskNamed } from '../../postgres/rows-of-a-run.ts';

/** Each name is read once for all tasks of its step: a definition may be larger than all their lines. */
const namesOfTasks = {
  name: 'names_of_tasks',
  text: `
    WITH named AS MATERIALIZED (
      SELECT t.id, r.version_id, t.step
      FROM unnest($2::uuid[]) AS u (id)
      JOIN LATERAL ${taskNamed('u.id')} t ON true
      JOIN LATERAL (SELECT r.version_id, r.tenant_id FROM run r WHERE r.id = t.run_id OFFSET 0) r ON r.tenant_id = $1
    )
    SELECT n.id, s.name
    FROM (
      SELECT d.version_id, d.step, v.definition -> 'steps' -> d.step::integer ->> 'name' AS name
      FROM (SELECT DISTINCT version_id, step FROM named) d JOIN workflow_version v ON v.id = d.version_id
    ) s
    JOIN named n ON n.version_id = s.version_id AND n.step = s.step`,
};

/** What tasks are called, by their ids; those of another tenant, and those that are gone, are left out. */
export async function readTaskNames(
  pool: Pool,
  tenantId: TenantId,
  taskIds: readonly string[],
): Promise<Map<string, string>> {
  const { rows } = await pool.query<{ id: string; name: string }>({ ...namesOfTasks, values: [tenantId, taskIds] });
  return new Map(rows.map((row) => [row.id, row.name]));
}
