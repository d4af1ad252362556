import type { Clock } from '../clock.ts';
import { HatchetError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { ShardState } from '../plan/shard-state.ts';
import { HoldOff } from './hold-off.ts';

const longestTimerMs = 2 ** 31 - 1;

export interface TicksOptions {
  clock: Clock;
  log: Logger;
  states: () => Iterable<ShardState>;
  /** Has a shard's due deadlines handled. */
  submit: (shard: number) => Promise<void>;
  timersDue: (state: ShardState, nowUs: number) => void;
}

/**
 * Wakes shards when time alone changes something. A shard whose tick fails by its own content waits longer and longer for the
 * next one, whatever else becomes due there meanwhile: the next tick holds what the last one failed at. Its crons and
 * schedules, the other shards and all commands go on.
 */
export class Ticks {
  readonly #options: TicksOptions;
  readonly #holds = new HoldOff<number>();
  /** Shards with a tick on its way. */
  readonly #under = new Set<number>();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: TicksOptions) {
    this.#options = options;
  }

  /** When a shard is next to be looked at. */
  nextUs(state: ShardState): number {
    return Math.min(state.timers.nextUs, this.#nextTickUs(state));
  }

  /** Sets the timer for the first that is due of any shard. */
  arm(): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    let first = Infinity;
    for (const state of this.#options.states()) first = Math.min(first, this.nextUs(state));
    if (first === Infinity) return;
    const inMs = Math.min(Math.max(Math.ceil((first - this.#options.clock.nowUs()) / 1000), 0), longestTimerMs);
    this.#timer = setTimeout(() => this.fire(), inMs);
  }

  fire(): void {
    if (this.#stopped) return;
    const nowUs = this.#options.clock.nowUs();
    for (const state of this.#options.states()) {
      if (this.nextUs(state) > state.timeUs(nowUs)) continue;
      this.#options.timersDue(state, state.timeUs(nowUs));
      if (this.#nextTickUs(state) <= state.timeUs(nowUs)) void this.#tick(state);
    }
    // With a tick on its way the timer is set after it.
    if (this.#under.size === 0) this.arm();
  }

  /** The shards belong to another owner: what failed is that one's concern. */
  lost(): void {
    this.#holds.clear();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #nextTickUs(state: ShardState): number {
    return Math.max(state.nextTickUs, this.#holds.untilUs(state.id));
  }

  async #tick(state: ShardState): Promise<void> {
    if (this.#under.has(state.id)) return;
    this.#under.add(state.id);
    try {
      await this.#options.submit(state.id);
      this.#holds.over(state.id);
    } catch (error) {
      this.#failed(state, error);
    } finally {
      this.#under.delete(state.id);
    }
  }

  #failed(state: ShardState, error: unknown): void {
    const { log, clock } = this.#options;
    const shard = state.id;
    // No owner, or the end of the engine: nothing that these deadlines brought about.
    if (!(error instanceof HatchetError) || error.code !== 'COMMAND_FAILED') return log.error({ err: error, shard }, 'due deadlines could not be handled');
    const { pauseMs, fails } = this.#holds.failed(shard, state.timeUs(clock.nowUs()));
    log.error({ err: error, code: error.code, shard, fails, pauseMs }, 'due deadlines could not be handled; nothing that waits for a time in this shard goes on before the next try');
  }
}
