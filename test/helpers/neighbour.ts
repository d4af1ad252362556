import { shardOf } from '../../engine/model/shard-of.ts';
import { newId } from '../../engine/model/uuid.ts';

/** A tenant's id that falls into the same shard. */
export function neighbourOf(tenantId: string): string {
  for (;;) {
    const id = newId();
    if (shardOf(id) === shardOf(tenantId)) return id;
  }
}
