import type { Sql } from '../../postgres/sql-client.ts';
import { shardOf } from '../../model/ids/shard-of.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** What a shard has to be recovered from. */
export interface ShardContents {
  tenantIds: TenantId[];
  /** Rows of `live`. */
  tasks: number;
}

export const readTenants = `SELECT id FROM tenant`;
export const countTasks = `SELECT shard, count(*)::integer AS tasks FROM live GROUP BY shard`;

/** By shard. A shard that is not there is empty. */
export async function readShardContents(client: Sql): Promise<ReadonlyMap<number, ShardContents>> {
  const contents = new Map<number, ShardContents>();
  const of = (shard: number): ShardContents => {
    const content = contents.get(shard) ?? { tenantIds: [], tasks: 0 };
    contents.set(shard, content);
    return content;
  };
  const tenants = await client.query<{ id: TenantId }>(readTenants);
  for (const { id } of tenants.rows) of(shardOf(id)).tenantIds.push(id);
  const counts = await client.query<{ shard: number; tasks: number }>(countTasks);
  for (const { shard, tasks } of counts.rows) of(shard).tasks = tasks;
  return contents;
}
