/** A worker of 500 slots that ends so many tasks and then keeps what it has. */
import { setTimeout as delay } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import type { AssignedAction } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import type { BareWorker } from './bare-worker.ts';
import type { LoadTenant } from './load-tenant.ts';

const slots = 500;
const beatEveryMs = 250;
/** So many answers in a row, and the engine is taken for being back. */
const steadyBeats = 20;

export class Drain {
  readonly #tenant: LoadTenant;
  #worker: BareWorker | undefined;
  #held: AssignedAction[] = [];
  #left = 0;
  #open = 0;
  #finished: () => void = () => undefined;

  constructor(tenant: LoadTenant) {
    this.#tenant = tenant;
  }

  /** Ends so many tasks. */
  async run(tasks: number): Promise<{ drained: number; perSecond: number }> {
    const worker = await this.#started();
    const beganAt = performance.now();
    this.#left = tasks;
    const finished = new Promise<void>((resolve) => (this.#finished = resolve));
    const held = this.#held;
    this.#held = [];
    for (const action of held) this.#take(worker, action);
    await finished;
    return { drained: tasks, perSecond: Math.round(tasks / ((performance.now() - beganAt) / 1000)) };
  }

  /** Heartbeats while the engine goes and comes back: for how long none was answered, and how those failed that were not. */
  async beatThroughRestart(): Promise<{ longestSilenceMs: number; failures: Record<string, number> }> {
    const worker = await this.#started();
    const failures: Record<string, number> = {};
    const seen = { answeredAt: performance.now(), longestSilenceMs: 0, steady: 0, wasAway: false };
    while (!seen.wasAway || seen.steady < steadyBeats) {
      void worker.heartbeat().then(
        () => {
          const nowMs = performance.now();
          seen.longestSilenceMs = Math.max(seen.longestSilenceMs, Math.round(nowMs - seen.answeredAt));
          seen.answeredAt = nowMs;
          seen.steady++;
        },
        (error: { code?: status }) => {
          const name = status[error.code ?? status.UNKNOWN] ?? 'UNKNOWN';
          failures[name] = (failures[name] ?? 0) + 1;
          seen.wasAway = true;
          seen.steady = 0;
        },
      );
      await delay(beatEveryMs);
    }
    return { longestSilenceMs: seen.longestSilenceMs, failures };
  }

  async #started(): Promise<BareWorker> {
    this.#worker ??= await this.#tenant.worker(slots, (worker, action) => this.#take(worker, action));
    return this.#worker;
  }

  #take(worker: BareWorker, action: AssignedAction): void {
    if (this.#left === 0) {
      this.#held.push(action);
      return;
    }
    this.#left--;
    this.#open++;
    void worker.complete(action).then(() => {
      this.#open--;
      if (this.#left === 0 && this.#open === 0) this.#finished();
    });
  }
}
