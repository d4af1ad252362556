import { firstOf } from '../model/first-of.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';
import type { ShardState } from '../plan/state/shard-state.ts';
import type { Sheet } from './sheet.ts';

/** Of each kind and tenant so many have series of their own: those under most pressure. */
const mostListed = 200;

/** A shard's memory, and where to write what it says. */
export interface Reading {
  readonly sheet: Sheet;
  readonly state: ShardState;
  readonly nowUs: number;
  /** Null for all. */
  readonly tenantId: TenantId | null;
}

export function wants({ tenantId }: Reading, of: TenantId): boolean {
  return tenantId === null || tenantId === of;
}

/** Of each tenant those that come first, and in the sheet how many are left out. */
export function listed<T extends { readonly tenantId: TenantId }>(
  reading: Reading,
  all: Iterable<T>,
  order: { of: 'queues' | 'rate_limits' | 'concurrency_keys' | 'workers'; compare: (a: T, b: T) => number },
): T[] {
  const byTenant = new Map<TenantId, T[]>();
  for (const each of all) {
    if (!wants(reading, each.tenantId)) continue;
    const known = byTenant.get(each.tenantId);
    if (known === undefined) byTenant.set(each.tenantId, [each]);
    else known.push(each);
  }
  return [...byTenant].flatMap(([tenant_id, own]) => {
    const { rows, total } = firstOf(own, mostListed, order.compare);
    reading.sheet.set('hatchet_tenant_series_left_out', { tenant_id, of: order.of }, total - rows.length);
    return rows;
  });
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
