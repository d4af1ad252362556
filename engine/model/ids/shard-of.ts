import type { TenantId } from './tenant-id.ts';

/** The number of shards is fixed: it is stored with every unfinished task. */
export const shardCount = 64;

/** The shard that owns a tenant. FNV-1a over the id's text. */
export function shardOf(tenantId: TenantId): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < tenantId.length; i++) {
    hash ^= tenantId.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return (hash >>> 0) % shardCount;
}
