import { HatchetError } from '../base/errors.ts';
import type { Host } from '../base/host.ts';
import type { Logger } from '../base/log.ts';
import { shardOf } from '../model/ids/shard-of.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

/** Before what the owner did not take is said again: doubled with each refusal in a row. */
const firstPauseMs = 1_000;
const longestPauseMs = 60_000;

/** What the dispatcher tells the owner: nothing of it is lost because the owner could not take it at once. */
export class OwnerReports {
  readonly #log: Logger;
  readonly #host: Host;
  #stopped = false;
  /** By shard: with each take-over the fate of the shard's attempts is found out anew. */
  readonly #takeOvers = new Map<number, number>();

  constructor(log: Logger, host: Host) {
    this.#log = log;
    this.#host = host;
  }

  /** The shard is taken over, or was lost: what is still to be said of its attempts holds no more. */
  startAnew(shard: number): void {
    this.#takeOvers.set(shard, this.#takeOversOf(shard) + 1);
  }

  stop(): void {
    this.#stopped = true;
  }

  /** What is said of a worker. @param failed makes the next look say it again */
  tell(told: Promise<unknown>, failed: () => void): void {
    told.catch((error: unknown) => {
      this.#failed(error);
      if (isPassing(error)) failed();
      else this.#host.setTimeout(failed, longestPauseMs).unref();
    });
  }

  /**
   * What is said of an attempt, until the owner has it: without it the attempt would hold its slot and its places for good.
   * Where the owner cannot store it, it is said again after a pause that grows. A take-over of its shard makes an end of it:
   * what has become of the attempt is found out anew then.
   */
  insist(tenantId: TenantId, say: () => Promise<unknown>): void {
    const shard = shardOf(tenantId);
    const takeOvers = this.#takeOversOf(shard);
    const attempt = (pauseMs: number): void => {
      say().catch((error: unknown) => {
        this.#failed(error);
        const nextMs = isPassing(error) ? firstPauseMs : Math.min(pauseMs * 2, longestPauseMs);
        const again = this.#host.setTimeout(() => {
          if (!this.#stopped && takeOvers === this.#takeOversOf(shard)) attempt(nextMs);
        }, pauseMs);
        again.unref();
      });
    };
    attempt(firstPauseMs);
  }

  #takeOversOf(shard: number): number {
    return this.#takeOvers.get(shard) ?? 0;
  }

  #failed(error: unknown): void {
    if (!this.#stopped)
      this.#log.error({ err: error }, 'the dispatcher could not report to the owner; it tries again after a pause');
  }
}

/** Nobody could take it: Postgres was away for longer than commands wait, or too many wait. */
function isPassing(error: unknown): boolean {
  return error instanceof HatchetError && error.code === 'NOT_OWNER';
}
