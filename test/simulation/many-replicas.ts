import { pino } from 'pino';
import { shardCount } from '../../engine/model/ids/shard-of.ts';
import { connectionConfig } from '../../engine/postgres/connect.ts';
import { fairShare } from '../../engine/shard/ownership/choose-shards.ts';
import { Ownership } from '../../engine/shard/ownership/ownership.ts';
import { Chances } from './chances.ts';
import { Scheduler } from './scheduler.ts';
import { SimulatedProcess } from './simulated-process.ts';
import { SimulatedStore, type ProcessConnector } from './store/store.ts';

const epochMs = 1_800_000_000_000;
const url = 'postgres://simulated';
/** A look at who has what. */
const lookMs = 20;

interface Replica {
  readonly process: SimulatedProcess;
  readonly connector: ProcessConnector;
  readonly ownership: Ownership;
}

/** What a change among the replicas brought about. */
export interface Settled {
  /** Until each shard was served by one of those that run. */
  servedMs: number;
  /** Until each of them had no more than its part as well. */
  evenMs: number;
  /** Shards that were served by another one afterwards, or by one for the first time. */
  moved: number;
}

/**
 * Many engines on one store, of each what decides about shards: the real ownership with its lease's connection, survey, recovery and
 * hand-overs, in processes of their own. Shards are empty, and their lanes have nothing to commit.
 */
export class ManyReplicas {
  readonly #chances: Chances;
  readonly #scheduler: Scheduler;
  readonly #store: SimulatedStore;
  #replicas: Replica[] = [];
  /** About to join. */
  #coming = 0;
  #started = 0;
  #statements = 0;

  constructor(seed: number) {
    this.#chances = new Chances(seed, 'many replicas');
    const order = new Chances(seed, 'order');
    this.#scheduler = new Scheduler(() => order.number());
    this.#store = new SimulatedStore({
      machine: {
        nowUs: () => this.#nowUs,
        after: (ms, run) => {
          const happening = this.#scheduler.in(ms, run);
          return { clear: () => happening.callOff() };
        },
        deliver: (arrive) => void this.#scheduler.in(this.#chances.between(0.1, 1), arrive),
      },
      faults: {
        message: () => {
          this.#statements++;
          return undefined;
        },
      },
    });
  }

  get count(): number {
    return this.#replicas.length;
  }

  /** So many join, at moments within a time. */
  join(count: number, withinMs: number): void {
    for (let n = 0; n < count; n++) {
      this.#coming++;
      this.#scheduler.in(this.#chances.between(0, withinMs), () => {
        this.#coming--;
        this.#join();
      });
    }
  }

  /** So many end without a word. Some of their connections are closed at once, others when Postgres notices. */
  kill(count: number): void {
    for (let n = 0; n < count; n++) {
      const replica = this.#takeOne();
      replica.process.end();
      replica.connector.crash(this.#chances.is(0.5) ? undefined : this.#chances.between(1_000, 60_000));
    }
  }

  /** So many stand still, all at once. */
  stall(count: number, ms: number): void {
    for (let n = 0; n < count; n++) this.#replicas[n]?.process.stall(ms);
  }

  /** One after the other gives its shards away, ends, and has a successor. @returns how long a shard was without one that serves, at most */
  async roll(): Promise<number> {
    let longestMs = 0;
    for (let n = this.#replicas.length; n > 0; n--) {
      const replica = this.#takeOne();
      const end = { isThere: false };
      replica.process.enter(() => {
        const { ownership } = replica;
        void ownership
          .withdraw()
          .then(() => this.#until(() => [...ownership.states()].length === 0, 10_000))
          .then(() => ownership.giveBack())
          .then(() => {
            end.isThere = true;
          });
      });
      let freeSinceMs: number | undefined;
      for (let isServed = false; !end.isThere || !isServed;) {
        await this.#pass(lookMs);
        isServed = this.#servedBy([...this.#replicas, replica]).every((by) => by.length > 0);
        if (isServed) freeSinceMs = undefined;
        else longestMs = Math.max(longestMs, this.#scheduler.nowMs - (freeSinceMs ??= this.#scheduler.nowMs - lookMs));
      }
      replica.process.end();
      replica.connector.crash(undefined);
      this.#join();
      await this.settle();
    }
    return longestMs;
  }

  /** @throws Error where it takes longer than a minute */
  async settle(): Promise<Settled> {
    const fromMs = this.#scheduler.nowMs;
    const before = this.#servedBy(this.#replicas).map(([by]) => by);
    let servedMs: number | undefined;
    for (;;) {
      await this.#pass(lookMs);
      const tookMs = this.#scheduler.nowMs - fromMs;
      const now = this.#servedBy(this.#replicas);
      const isServed = now.every((by) => by.length === 1);
      if (isServed) servedMs ??= tookMs;
      if (servedMs !== undefined && isServed && this.#coming === 0 && this.#isEven) {
        const moved = now.filter(([by], shard) => by !== before[shard]).length;
        return { servedMs, evenMs: tookMs, moved };
      }
      if (tookMs > 60_000) throw new Error(`after a minute: ${this.#describe(now)}`);
    }
  }

  /** Statements a second of each replica, over a time in which nothing happens. */
  async idle(ms: number): Promise<number> {
    const before = this.#statements;
    await this.#pass(ms);
    return (this.#statements - before) / (ms / 1_000) / this.#replicas.length;
  }

  /** Shards that more than one serves, or nobody. */
  get odd(): number[] {
    return this.#servedBy(this.#replicas).flatMap((by, shard) => (by.length === 1 ? [] : [shard]));
  }

  /** How many shards each has. */
  get shares(): number[] {
    return this.#replicas.map(({ ownership }) => [...ownership.states()].length);
  }

  #join(): void {
    const name = `engine ${++this.#started}`;
    const process = new SimulatedProcess(name, this.#scheduler, {
      clocks: { wallAheadMs: 0, rate: 1, monotonicMs: this.#chances.between(1, 1_000_000) },
      epochMs,
    });
    const connector = this.#store.connector({
      name,
      host: process,
      deliver: (arrive) => void process.in(this.#chances.between(0.1, 1), arrive),
    });
    const ownership = new Ownership({
      config: connectionConfig(url, 'hatchet'),
      clock: { nowUs: () => this.#nowUs },
      log: pino({ level: 'silent' }),
      events: {
        served: () => undefined,
        lost: () => undefined,
        moved: () => undefined,
        // No transaction is under way.
        leaving: (shards) => process.setImmediate(() => void ownership.handOver(shards)),
      },
      graceMs: 30_000,
      host: process,
      connector,
    });
    this.#replicas.push({ process, connector, ownership });
    process.enter(() => {
      const address = { grpc: `${name}:7077`, http: `${name}:8888`, certificate: null };
      void ownership.start().then(() => ownership.takeCallsAt(address));
    });
  }

  #takeOne(): Replica {
    const replica = this.#chances.pick(this.#replicas);
    this.#replicas = this.#replicas.filter((each) => each !== replica);
    return replica;
  }

  #servedBy(replicas: readonly Replica[]): Replica[][] {
    return Array.from({ length: shardCount }, (_, shard) =>
      replicas.filter(({ ownership }) => ownership.stateOf(shard) !== undefined),
    );
  }

  get #isEven(): boolean {
    const share = fairShare(this.#replicas.length);
    return this.shares.every((has) => has <= share);
  }

  #describe(served: readonly Replica[][]): string {
    const free = served.filter((by) => by.length === 0).length;
    const twice = served.filter((by) => by.length > 1).length;
    return `${free} shards without an engine, ${twice} with more than one, ${Math.max(...this.shares)} at one of ${this.count}`;
  }

  get #nowUs(): number {
    return Math.floor((epochMs + this.#scheduler.nowMs) * 1_000);
  }

  async #pass(ms: number): Promise<void> {
    const untilMs = this.#scheduler.nowMs + ms;
    while (await this.#scheduler.step(untilMs));
  }

  async #until(holds: () => boolean, withinMs: number): Promise<void> {
    const endMs = this.#scheduler.nowMs + withinMs;
    while (!holds() && this.#scheduler.nowMs < endMs)
      await new Promise<void>((resolve) => this.#scheduler.in(lookMs, resolve));
  }
}
