import type { Chances } from './chances.ts';
import type { Faults } from './faults.ts';
import type { History } from './moves.ts';
import type { PassingOn } from './passing-on.ts';
import type { Scheduler } from './scheduler.ts';
import { SimulatedEngine, type EngineWatch } from './simulated-engine.ts';
import type { ProcessClocks, SimulatedProcess } from './simulated-process.ts';
import type { ProcessConnector, SimulatedStore } from './store/store.ts';
import type { TenantId } from '../../engine/model/ids/tenant-id.ts';

/** A next engine is replaced once the one before it is back, or after this. */
const longestReturnMs = 20_000;
const returnLookMs = 500;

type Clocks = Omit<ProcessClocks, 'monotonicMs'>;

/** Where an engine runs: one process after the other. */
interface Place {
  name: string;
  clocks: Clocks;
  engine: SimulatedEngine | undefined;
  connector: ProcessConnector | undefined;
  starts: number;
  /** Nobody starts it again. */
  isGivenUp: boolean;
}

interface Around {
  readonly scheduler: Scheduler;
  readonly store: SimulatedStore;
  readonly faults: Faults;
  readonly passingOn: PassingOn;
  readonly watch: EngineWatch;
  /** From how many waiting rows on an engine plans beside a commit. */
  planAheadFrom(engine: string): number;
  readonly hasHealed: () => boolean;
  process(name: string, clocks: Clocks): SimulatedProcess;
  note(line: string): void;
}

/** The engines of a history: how they come, end and are replaced. */
export class Engines {
  readonly #around: Around;
  readonly #places: Place[] = [];

  constructor(around: Around) {
    this.#around = around;
  }

  /** Those whose processes run. */
  get all(): SimulatedEngine[] {
    return this.#places.flatMap(({ engine }) => (engine === undefined || engine.process.hasEnded ? [] : [engine]));
  }

  /** As a load balancer does: an engine that is ready, where there is one. */
  pick(chances: Chances): SimulatedEngine | undefined {
    const there = this.all.filter((engine) => engine.isListening);
    const ready = there.filter((engine) => engine.isReady);
    const from = ready.length > 0 ? ready : there;
    return from.length === 0 ? undefined : chances.pick(from);
  }

  /** The one that has a tenant's shard. */
  serving(tenantId: TenantId): SimulatedEngine | undefined {
    return this.all.find((engine) => engine.owner.stateOf(tenantId) !== undefined);
  }

  /** Another one joins. */
  add({ wallAheadMs, rate, startMs }: History['engines'][number]): void {
    const place: Place = {
      name: `engine ${this.#places.length + 1}`,
      clocks: { wallAheadMs, rate },
      engine: undefined,
      connector: undefined,
      starts: 0,
      isGivenUp: false,
    };
    this.#places.push(place);
    this.#around.scheduler.at(startMs, () => this.#start(place));
  }

  stall(pick: number, ms: number): void {
    this.#at(pick)?.engine?.process.stall(ms);
  }

  crash(pick: number, how: { noticedMs: number; backMs: number; refusals: number }): void {
    const place = this.#at(pick);
    if (place !== undefined) this.#end(place, how);
  }

  stop(pick: number, backMs: number): void {
    const place = this.#at(pick);
    if (place !== undefined) void this.#stop(place, backMs);
  }

  /** One leaves for good, unless it is the last. */
  retire(pick: number, how: 'stops' | 'crashes', noticedMs: number): void {
    const place = this.#at(pick);
    const left = this.#places.filter(({ isGivenUp }) => !isGivenUp);
    if (place === undefined || left.length === 1) return;
    place.isGivenUp = true;
    if (how === 'stops') void this.#stop(place, 0);
    else this.#end(place, { noticedMs, backMs: 0 });
  }

  /** Each is stopped in order and started again, one after the other. */
  async roll(backMs: number): Promise<void> {
    for (const place of this.#places) {
      if (place.isGivenUp || place.engine === undefined || place.engine.process.hasEnded) continue;
      await this.#stop(place, backMs);
      const endMs = this.#around.scheduler.nowMs + backMs + longestReturnMs;
      while (!place.engine.takesCalls && this.#around.scheduler.nowMs < endMs)
        await new Promise<void>((resolve) => this.#around.scheduler.in(returnLookMs, resolve));
    }
  }

  /** Whoever stood still goes on, whoever is away comes back. */
  heal(): void {
    this.#around.passingOn.mend();
    for (const place of this.#places) {
      place.engine?.process.goOn();
      this.#start(place);
    }
  }

  at(pick: number): SimulatedEngine | undefined {
    return this.#at(pick)?.engine;
  }

  #at(pick: number): Place | undefined {
    const there = this.#places.filter(({ engine }) => engine !== undefined && !engine.process.hasEnded);
    return there[pick % Math.max(there.length, 1)];
  }

  #start(place: Place): void {
    if (place.isGivenUp || place.engine?.process.hasEnded === false) return;
    const { store, faults, passingOn, watch } = this.#around;
    const process = this.#around.process(`${place.name}.${++place.starts}`, place.clocks);
    const connector = store.connector({
      name: process.name,
      host: process,
      deliver: (arrive) => void process.in(faults.storeLatencyMs(), arrive),
    });
    const engine = new SimulatedEngine(process, connector, watch, {
      connected: (from, peer) => passingOn.connected(from, peer),
      planAheadFrom: this.#around.planAheadFrom(process.name),
    });
    place.engine = engine;
    place.connector = connector;
    this.#around.note(`${process.name} starts`);
    engine.start().catch((error: unknown) => {
      if (process.hasEnded || place.engine !== engine) return;
      this.#around.note(`${process.name} could not start: ${error instanceof Error ? error.message : String(error)}`);
      this.#end(place, { noticedMs: 0, backMs: 1_000 });
    });
  }

  #end(
    place: Place,
    { noticedMs, backMs, refusals = 0 }: { noticedMs: number; backMs: number; refusals?: number },
  ): void {
    if (place.engine === undefined || place.engine.process.hasEnded) return;
    this.#around.note(`${place.engine.process.name} ends`);
    place.engine.process.end();
    place.connector?.crash(noticedMs > 0 ? noticedMs : undefined);
    this.#around.scheduler.in(backMs, () => {
      this.#start(place);
      // What is recovered is planned with first, and taken back.
      if (refusals > 0 && !this.#around.hasHealed()) this.#around.faults.refuseNext(refusals);
    });
  }

  async #stop(place: Place, backMs: number): Promise<void> {
    const { engine } = place;
    await engine?.stop().catch(() => undefined);
    if (place.engine === engine) this.#end(place, { noticedMs: 0, backMs });
  }
}
