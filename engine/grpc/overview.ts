import { LiveState } from '../model/live-state.ts';
import type { Owner } from '../shard/owner.ts';
import type { QueueDepth, StreamOverviewResponse } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';

/** At most one message in this time. */
const everyMs = 200;
/** Looking through every task of a shard for its delayed ones is bounded; past this the figure is left at zero. */
const scanLimit = 200_000;

/** Queue and worker figures, from the owner's memory. */
export class Overview {
  readonly #owner: Owner;
  readonly #version: string;
  readonly #startedAt: Date;
  readonly #watchers = new Set<() => void>();

  constructor(options: { owner: Owner; version: string; startedAt: Date }) {
    this.#owner = options.owner;
    this.#version = options.version;
    this.#startedAt = options.startedAt;
  }

  /** Something may have changed. */
  poke(): void {
    for (const watcher of this.#watchers) watcher();
  }

  queues(tenantId: string): QueueDepth[] {
    const state = this.#owner.stateOf(tenantId);
    if (state === undefined) return [];
    const running = new Map<unknown, number>();
    const delayed = new Map<unknown, number>();
    if (state.tasks.size <= scanLimit) {
      for (const row of state.tasks.rows()) {
        const live = state.tasks.state[row];
        const counts = live === LiveState.Running || live === LiveState.Cancelling ? running : live === LiveState.Delayed ? delayed : undefined;
        if (counts === undefined) continue;
        const { queue } = state.stepOf(row);
        counts.set(queue, (counts.get(queue) ?? 0) + 1);
      }
    }
    return [...state.queues.values()]
      .filter((queue) => queue.tenantId === tenantId)
      .map((queue) => ({
        action: queue.action,
        queued: BigInt(queue.length),
        running: BigInt(running.get(queue) ?? 0),
        delayed: BigInt(delayed.get(queue) ?? 0),
        workers: queue.workers.filter((worker) => worker.assignable && !worker.paused && !worker.ended).length,
        oldestQueuedAt: queue.oldestSeq === 0 ? undefined : new Date(queue.oldestSeq / 1000),
      }))
      .sort((a, b) => a.action.localeCompare(b.action));
  }

  snapshot(tenantId: string): StreamOverviewResponse {
    const state = this.#owner.stateOf(tenantId);
    const queues = [...(state?.queues.values() ?? [])].filter((queue) => queue.tenantId === tenantId);
    const workers = [...(state?.workersById.values() ?? [])].filter((worker) => worker.tenantId === tenantId && worker.assignable && !worker.ended);
    const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);
    return {
      engineVersion: this.#version,
      engineStartedAt: this.#startedAt,
      queued: BigInt(sum(queues.map((queue) => queue.length))),
      running: BigInt(sum([...(state?.workersById.values() ?? [])].filter((worker) => worker.tenantId === tenantId).map((worker) => worker.tasks.size))),
      triggered: BigInt(state?.counts.triggered ?? 0),
      finished: BigInt(state?.counts.finished ?? 0),
      workers: workers.length,
      slotsTotal: sum(workers.flatMap((worker) => [...worker.slots.values()])),
      slotsUsed: sum(workers.flatMap((worker) => [...worker.used.values()])),
    };
  }

  async *watch(tenantId: string, signal: AbortSignal): AsyncGenerator<StreamOverviewResponse> {
    let dirty = true;
    let wake = (): void => undefined;
    const poke = (): void => {
      dirty = true;
      wake();
    };
    this.#watchers.add(poke);
    signal.addEventListener('abort', poke);
    try {
      while (!signal.aborted) {
        if (dirty) {
          dirty = false;
          yield this.snapshot(tenantId);
          await new Promise((resolve) => setTimeout(resolve, everyMs));
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      signal.removeEventListener('abort', poke);
      this.#watchers.delete(poke);
    }
  }
}
