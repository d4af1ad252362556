import type { Host, HostTimer } from '../../engine/base/host.ts';
import type { Happening, Scheduler } from './scheduler.ts';

/** Node's timers wait for a millisecond at least. */
const shortestMs = 1;
/** A turn of the event loop. */
const turnMs = 0.05;

export interface ProcessClocks {
  /** Of the machine's wall clock over true time. */
  wallAheadMs: number;
  /** How fast the monotonic clock goes, where true time is 1. */
  rate: number;
  /** What it shows at the start of the process. */
  monotonicMs: number;
}

/**
 * A process: it has clocks of its own, may stand still for a time (what is due meanwhile comes all at once afterwards), and
 * may end at any time without a word. Nothing that happens in it does so outside of `enter`.
 */
export class SimulatedProcess implements Host {
  readonly name: string;
  readonly #scheduler: Scheduler;
  readonly #clocks: ProcessClocks;
  readonly #bornMs: number;
  /** True time at its epoch. */
  readonly #epochMs: number;
  #state: 'running' | 'stalled' | 'ended' = 'running';
  /** What came while it stood still, in order. */
  #waiting: (() => void)[] = [];
  #goOn: Happening | undefined;
  #awakeSinceMs: number;
  readonly #ends = new Set<() => void>();

  constructor(name: string, scheduler: Scheduler, { clocks, epochMs }: { clocks: ProcessClocks; epochMs: number }) {
    this.name = name;
    this.#scheduler = scheduler;
    this.#clocks = clocks;
    this.#bornMs = scheduler.nowMs;
    this.#awakeSinceMs = scheduler.nowMs;
    this.#epochMs = epochMs;
  }

  /** How long it has run without standing still. */
  get awakeForMs(): number {
    return this.#state === 'running' ? this.#scheduler.nowMs - this.#awakeSinceMs : 0;
  }

  get hasEnded(): boolean {
    return this.#state === 'ended';
  }

  monotonicMs(): number {
    return this.#clocks.monotonicMs + (this.#scheduler.nowMs - this.#bornMs) * this.#clocks.rate;
  }

  wallMs(): number {
    return Math.floor(this.#epochMs + this.#scheduler.nowMs + this.#clocks.wallAheadMs);
  }

  setTimeout(run: () => void, ms: number): HostTimer {
    const happening = this.in(Math.max(ms, shortestMs) / this.#clocks.rate, run);
    return timerOf(() => happening.callOff());
  }

  setInterval(run: () => void, ms: number): HostTimer {
    let next: Happening;
    let isCleared = false;
    const again = (): void => {
      next = this.in(ms / this.#clocks.rate, () => {
        if (isCleared) return;
        again();
        run();
      });
    };
    again();
    return timerOf(() => {
      isCleared = true;
      next.callOff();
    });
  }

  setImmediate(run: () => void): void {
    this.in(turnMs, run);
  }

  /** Something of this process happens after a time. */
  in(ms: number, run: () => void): Happening {
    const happening: Happening = this.#scheduler.in(ms, () =>
      this.enter(() => {
        // A timer that is cleared in the turn in which it is due does not fire.
        if (happening.run !== undefined) run();
      }),
    );
    return happening;
  }

  /** Something reaches it: now, or when it goes on. */
  enter(run: () => void): void {
    if (this.#state === 'running') run();
    else if (this.#state === 'stalled') this.#waiting.push(run);
  }

  /** It stands still. A second stall makes the first one longer. */
  stall(ms: number): void {
    if (this.#state === 'ended') return;
    this.#state = 'stalled';
    this.#goOn?.callOff();
    this.#goOn = this.#scheduler.in(ms, () => this.goOn());
  }

  goOn(): void {
    if (this.#state !== 'stalled') return;
    this.#goOn?.callOff();
    this.#state = 'running';
    this.#awakeSinceMs = this.#scheduler.nowMs;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const [index, run] of waiting.entries())
      this.#scheduler.in((index + 1) * (turnMs / 100), () => this.enter(run));
  }

  /** Without a word: whoever was connected finds out. */
  end(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#waiting = [];
    for (const tell of this.#ends) tell();
    this.#ends.clear();
  }

  /** @returns stops listening */
  onEnd(tell: () => void): () => void {
    this.#ends.add(tell);
    return () => this.#ends.delete(tell);
  }
}

function timerOf(clear: () => void): HostTimer {
  return { clear, unref: () => undefined };
}
