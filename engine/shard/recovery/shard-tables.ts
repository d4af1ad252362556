import type { Sql } from '../../postgres/sql-client.ts';
import type { ShardState } from '../../plan/state/shard-state.ts';
import type { Slice } from '../../base/yield-in-slices.ts';
import type { SetAside } from './set-aside.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** What the readers of a shard's tables share. */
export interface ShardTables {
  client: Sql;
  /** What is read goes there. */
  shard: ShardState;
  /** The tenants of the shard. */
  tenantIds: readonly TenantId[];
  setAside: SetAside;
  slice: Slice;
}
