import { HatchetError } from '../../base/errors.ts';

/** Codes that are not good, from one address within the window. A person who uses links mistypes none. */
const mostFailed = 20;
const windowMs = 60_000;
/** Addresses that are remembered; beyond it the one that failed first is forgotten. */
const mostAddresses = 10_000;

/** What guessing costs is bounded by this; that it finds nothing, by the 256 bits of a code. */
export class FailedSignIns {
  readonly #byAddress = new Map<string, { count: number; sinceMs: number }>();

  /** @throws HatchetError LIMIT_REACHED */
  check(address: string, nowMs: number): void {
    const failed = this.#byAddress.get(address);
    if (failed === undefined || nowMs - failed.sinceMs >= windowMs || failed.count < mostFailed) return;
    throw new HatchetError('LIMIT_REACHED', `${failed.count} codes from this address were not good`, {
      details: { limit: mostFailed },
      remedy: 'Wait a minute, and make a new link with `hatchet page`.',
    });
  }

  add(address: string, nowMs: number): void {
    const failed = this.#byAddress.get(address);
    if (failed !== undefined && nowMs - failed.sinceMs < windowMs) {
      failed.count += 1;
      return;
    }
    this.#byAddress.delete(address);
    this.#byAddress.set(address, { count: 1, sinceMs: nowMs });
    const [first] = this.#byAddress.keys();
    if (this.#byAddress.size > mostAddresses && first !== undefined) this.#byAddress.delete(first);
  }
}
