/** A tenant for which nothing was done for so long is no neighbour. */
const activeMs = 1_000;

interface Seen<Tenant> {
  /** Undefined before the first. */
  tenantId: Tenant | undefined;
  atMs: number;
}

/** Whether a tenant is alone. Of all tenants, the last for which something was done and the last before it that is another are enough. */
export class Neighbours<Tenant extends string> {
  #last: Seen<Tenant> = { tenantId: undefined, atMs: -Infinity };
  #before: Seen<Tenant> = { tenantId: undefined, atMs: -Infinity };

  seen(tenantId: Tenant, nowMs: number): void {
    if (tenantId !== this.#last.tenantId) {
      const last = this.#last;
      this.#last = this.#before;
      this.#before = last;
      this.#last.tenantId = tenantId;
    }
    this.#last.atMs = nowMs;
  }

  /** Whether something was done for more than one tenant lately. */
  areSeveral(nowMs: number): boolean {
    return nowMs - this.#last.atMs < activeMs && nowMs - this.#before.atMs < activeMs;
  }

  /** Whether something was done for another tenant lately. */
  others(tenantId: Tenant, nowMs: number): boolean {
    const other = this.#last.tenantId === tenantId ? this.#before : this.#last;
    return nowMs - other.atMs < activeMs;
  }
}
