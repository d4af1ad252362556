/** A tenant that has sent nothing for so long is no neighbour. */
const activeMs = 1_000;

/** Whether a tenant is alone. Of all tenants, the last that sent a command and the last before it that is another are enough. */
export class Neighbours {
  #last = { tenantId: '', atMs: -Infinity };
  #before = { tenantId: '', atMs: -Infinity };

  seen(tenantId: string, nowMs: number): void {
    if (tenantId !== this.#last.tenantId) {
      const last = this.#last;
      this.#last = this.#before;
      this.#before = last;
      this.#last.tenantId = tenantId;
    }
    this.#last.atMs = nowMs;
  }

  /** Whether more than one tenant has sent something lately. */
  areSeveral(nowMs: number): boolean {
    return nowMs - this.#last.atMs < activeMs && nowMs - this.#before.atMs < activeMs;
  }

  /** Whether another tenant has sent something lately. */
  others(tenantId: string, nowMs: number): boolean {
    const other = this.#last.tenantId === tenantId ? this.#before : this.#last;
    return nowMs - other.atMs < activeMs;
  }
}
