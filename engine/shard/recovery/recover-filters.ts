import type { ShardTables } from './shard-tables.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

export const readFilters = `
  SELECT f.id, f.tenant_id, f.workflow_id, f.scope, f.expression, f.payload, f.is_declared
  FROM unnest($1::uuid[]) AS u (tenant_id) JOIN filter f ON f.tenant_id = u.tenant_id`;

export async function loadFilters({ client, shard, tenantIds, setAside, slice }: ShardTables): Promise<void> {
  const { rows } = await client.query<{
    id: string;
    tenant_id: TenantId;
    workflow_id: string;
    scope: string;
    expression: string;
    payload: string;
    is_declared: boolean;
  }>(readFilters, [tenantIds]);
  for (const row of rows) {
    const { id, scope, expression, payload } = row;
    setAside.try('filter', id, () =>
      shard.filtersOf(row.workflow_id).set(id, {
        id,
        tenantId: row.tenant_id,
        workflowId: row.workflow_id,
        scope,
        expression,
        payload,
        isDeclared: row.is_declared,
      }),
    );
    if (slice.isOver) await slice.pause();
  }
}
