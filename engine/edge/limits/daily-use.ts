import { checkLimit, type Limits } from '../../auth/tenant-limits.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

const dayMs = 86_400_000;

/** What each tenant has written since midnight, UTC, of what is kept beside its tasks. Of this process: a restart begins anew. */
export class DailyUse {
  readonly #name: 'streamBytesPerDay' | 'logCharsPerDay';
  readonly #used = new Map<TenantId, number>();
  #day = 0;

  constructor(name: 'streamBytesPerDay' | 'logCharsPerDay') {
    this.#name = name;
  }

  /** @throws HatchetError LIMIT_REACHED */
  take(tenantId: TenantId, limits: Limits, amount: number, nowMs: number): void {
    const day = Math.floor(nowMs / dayMs);
    if (day !== this.#day) {
      this.#day = day;
      this.#used.clear();
    }
    const used = (this.#used.get(tenantId) ?? 0) + amount;
    checkLimit(limits, this.#name, used);
    this.#used.set(tenantId, used);
  }
}
