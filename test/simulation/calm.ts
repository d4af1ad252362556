import { shardCount } from '../../engine/model/ids/shard-of.ts';
import type { TenantId } from '../../engine/model/ids/tenant-id.ts';
import type { Callers } from './callers.ts';
import type { Engines } from './engines.ts';
import type { Faults } from './faults.ts';
import type { Invariants } from './invariants.ts';
import type { History } from './moves.ts';
import type { Scheduler } from './scheduler.ts';
import type { SimulatedEngine } from './simulated-engine.ts';
import type { SimulatedWorker } from './simulated-worker.ts';

/** In which shards find their places once nothing changes: of those that are not idle, one goes over with each look, each 1.5 s. */
export function settlingMs({ othersWorkers = 0 }: History): number {
  return othersWorkers > 0 ? 115_000 : 65_000;
}

/** Between two calls while engines are replaced. */
const callEachMs = 400;
/** Postgres meanwhile: transactions and starts are under way while their shards are handed over. */
const slow = { laneMs: 30, dispatchMs: 300 };
/** A call is answered within this while engines are replaced one after the other; those that are given up take 10 s and more. */
const longestCallMs = 7_000;
/** A worker is without a stream for no longer, once another engine has its shard. */
const longestOutageMs = 2_600;
const outageLookMs = 100;

interface Around {
  readonly scheduler: Scheduler;
  readonly engines: Engines;
  readonly callers: Callers;
  readonly tenantIds: readonly TenantId[];
  workers(): readonly SimulatedWorker[];
  readonly faults: Faults;
  readonly invariants: Invariants;
}

/** What has to hold of several engines while nothing goes wrong: shards are spread evenly, and replacing engines is hardly noticed. */
export class Calm {
  readonly #around: Around;
  #isRolling = false;

  constructor(around: Around) {
    this.#around = around;
  }

  get isRolling(): boolean {
    return this.#isRolling;
  }

  /** A caller's or a worker's call is over, however it has ended. */
  called(ms: number): void {
    if (this.#isRolling && ms > longestCallMs)
      this.#around.invariants.broken(`a call took ${Math.round(ms)} ms while engines were replaced`);
  }

  /** After `settlingMs`. */
  judgeShares(): void {
    const { all } = this.#around.engines;
    const taking = all.filter(({ takesCalls }) => takesCalls);
    if (taking.length < all.length)
      return this.#around.invariants.broken(
        `${all.length - taking.length} engines take no calls though all has long been well`,
      );
    const most = Math.ceil(shardCount / taking.length);
    const owners = new Map<number, SimulatedEngine>();
    for (const engine of taking) {
      const states = [...engine.owner.states];
      if (states.length > most)
        this.#around.invariants.broken(`${engine.process.name} has ${states.length} shards, and its part is ${most}`);
      for (const { id } of states) {
        const other = owners.get(id);
        if (other !== undefined)
          this.#around.invariants.broken(`${engine.process.name} and ${other.process.name} both serve shard ${id}`);
        owners.set(id, engine);
      }
    }
    if (owners.size < shardCount)
      this.#around.invariants.broken(`${shardCount - owners.size} shards are served by nobody`);
  }

  /** Engines are replaced one after the other while callers go on. */
  async roll(): Promise<void> {
    const { scheduler, callers, tenantIds, engines, faults, invariants } = this.#around;
    // One that is alone has nobody to give its shards to.
    if (engines.all.length < 2) return;
    this.#isRolling = true;
    const call = (): void => {
      if (!this.#isRolling) return;
      for (const tenantId of tenantIds)
        void callers.trigger(
          tenantId,
          { workflowName: callers.chances.pick(['single', 'diamond']), input: { key: 'p' } },
          callers.chances.is(0.5),
        );
      scheduler.in(callEachMs, call);
    };
    faults.slowConnections(slow);
    invariants.sendsAll = true;
    call();
    this.#watchStreams();
    await engines.roll(1_000);
    this.#isRolling = false;
    faults.end();
  }

  /** The stream of each worker is where its shard is. */
  #watchStreams(): void {
    const { scheduler, engines } = this.#around;
    const since = new Map<SimulatedWorker, number>();
    const look = (): void => {
      if (!this.#isRolling) return;
      for (const worker of this.#around.workers()) {
        const serving = engines.serving(worker.facts.tenantId);
        if (serving === undefined || worker.isServedBy(serving) || worker.process.hasEnded) since.delete(worker);
        else if (!since.has(worker)) since.set(worker, scheduler.nowMs);
        else if (scheduler.nowMs - (since.get(worker) ?? 0) > longestOutageMs)
          this.#around.invariants.broken(
            `${worker.process.name} has had no stream to ${serving.process.name} for ${longestOutageMs} ms`,
          );
      }
      scheduler.in(outageLookMs, look);
    };
    look();
  }
}
