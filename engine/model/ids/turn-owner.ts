import type { TenantId } from './tenant-id.ts';

/** Who takes turns where long work is done for all: a tenant, or a shard for what time brings to it. */
export type TurnOwner = TenantId | `shard ${number}`;
