import { checkLimit, type Limits } from '../../auth/tenant-limits.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** Seconds of calls that may come at once. */
const burstSeconds = 2;

/** Calls a second, by tenant: each has a bucket that fills with time and that every call takes from. */
export class CallRate {
  readonly #buckets = new Map<TenantId, { left: number; atMs: number }>();

  /** @throws HatchetError LIMIT_REACHED */
  take(tenantId: TenantId, limits: Limits, nowMs: number): void {
    const most = limits.callsPerSecond * burstSeconds;
    let bucket = this.#buckets.get(tenantId);
    if (bucket === undefined) {
      bucket = { left: most, atMs: nowMs };
      this.#buckets.set(tenantId, bucket);
    }
    bucket.left = Math.min(most, bucket.left + ((nowMs - bucket.atMs) / 1000) * limits.callsPerSecond);
    bucket.atMs = nowMs;
    if (bucket.left < 1) checkLimit(limits, 'callsPerSecond', limits.callsPerSecond + 1);
    bucket.left -= 1;
  }
}
