import type { HatchetError } from '../base/errors.ts';
import { longestWaitMs, noOwner } from '../base/not-owner.ts';
import type { Host, HostTimer } from '../base/host.ts';
import type { ShardState } from '../plan/state/shard-state.ts';

interface Waiter {
  resolve: (state: ShardState) => void;
  reject: (error: HatchetError) => void;
  timer: HostTimer;
}

/** Calls that need a shard's memory before they can say what they ask for, while nobody serves it here. */
export class ServiceWaiters {
  readonly #host: Host;
  readonly #waiting = new Map<number, Set<Waiter>>();

  constructor(host: Host) {
    this.#host = host;
  }

  /** Resolves once the shard is served. @throws HatchetError NOT_OWNER after 30 s, STOPPING */
  wait(shard: number): Promise<ShardState> {
    return new Promise((resolve, reject) => {
      const waiters = this.#waiting.get(shard) ?? new Set();
      this.#waiting.set(shard, waiters);
      const timer = this.#host.setTimeout(() => {
        waiters.delete(waiter);
        reject(noOwner());
      }, longestWaitMs);
      const waiter: Waiter = { resolve, reject, timer };
      waiters.add(waiter);
    });
  }

  served(states: readonly ShardState[]): void {
    for (const state of states) this.#end(state.id, (waiter) => waiter.resolve(state));
  }

  refuseOf(shards: readonly number[], error: HatchetError): void {
    for (const shard of shards) this.#end(shard, (waiter) => waiter.reject(error));
  }

  refuse(error: HatchetError): void {
    for (const shard of this.#waiting.keys()) this.#end(shard, (waiter) => waiter.reject(error));
  }

  #end(shard: number, tell: (waiter: Waiter) => void): void {
    const waiters = this.#waiting.get(shard) ?? [];
    this.#waiting.delete(shard);
    for (const waiter of waiters) {
      waiter.timer.clear();
      tell(waiter);
    }
  }
}
