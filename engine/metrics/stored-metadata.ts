import type { TenantId } from '../model/ids/tenant-id.ts';
import type { Sql } from '../postgres/sql-client.ts';

interface StoredRow {
  task_id: string;
  tenant_id: TenantId;
  metadata: string;
}

const select = `
  SELECT l.task_id, l.tenant_id, r.metadata::text AS metadata
  FROM live l JOIN run r ON r.id = l.run_id
  WHERE r.metadata::text LIKE '%"prom\\_%'`;

/** Unfinished tasks of these shards whose metadata may have keys that are counted. */
export async function readMetadataOfShards(sql: Sql, shards: readonly number[], most: number): Promise<StoredRow[]> {
  const { rows } = await sql.query<StoredRow>(`${select} AND l.shard = ANY ($1) LIMIT $2`, [shards, most]);
  return rows;
}

/** As `readMetadataOfShards`, of these tasks. */
export async function readMetadataOfTasks(sql: Sql, taskIds: readonly string[]): Promise<StoredRow[]> {
  const { rows } = await sql.query<StoredRow>(`${select} AND l.task_id = ANY ($1)`, [taskIds]);
  return rows;
}
