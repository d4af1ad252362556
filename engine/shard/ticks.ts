import type { Clock } from '../base/clock.ts';
import { HatchetError } from '../base/errors.ts';
import { processHost, type Host, type HostTimer } from '../base/host.ts';
import type { Logger } from '../base/log.ts';
import type { CommandKind } from '../plan/commands/command.ts';
import type { PutOffCommand } from '../plan/commands/upkeep/put-off-refused-task.ts';
import type { TickCommand } from '../plan/commands/upkeep/tick.ts';
import type { ShardState } from '../plan/state/shard-state.ts';
import { firstDue, perTick } from '../plan/commands/upkeep/tick.ts';
import { HoldOff } from './hold-off.ts';

const longestTimerMs = 2 ** 31 - 1;
/** What is due in a shard, of one transaction while several tenants are there. */
const perTickBesideOthers = 50;

/** Commands that time brings: they go before those that wait, so that no deadline or cron is late for a mailbox that is never empty. */
export function isTimes(kind: CommandKind): boolean {
  return kind === 'tick' || kind === 'putOff' || kind === 'fireTimer';
}

export interface TicksOptions {
  clock: Clock;
  log: Logger;
  states: () => Iterable<ShardState>;
  submit: (shard: number, command: TickCommand | PutOffCommand) => Promise<void>;
  timersDue: (state: ShardState, nowUs: number) => void;
  /** Several tenants are there. */
  isShared?: () => boolean;
  host?: Host;
}

/**
 * Wakes shards when time alone changes something. Where Postgres refuses what would come of a deadline, it is found by
 * halves and put off, longer and longer, and the others of its shard go on. Where a tick without any deadline fails too,
 * all of its shard wait so; its crons and schedules, the other shards and all commands go on.
 */
export class Ticks {
  readonly #options: TicksOptions;
  readonly #host: Host;
  readonly #holds = new HoldOff<number>();
  /** By shard, the tasks whose deadlines are put off. */
  readonly #putOff = new Map<number, HoldOff<string>>();
  /** Shards with a tick on its way. */
  readonly #under = new Set<number>();
  #timer: HostTimer | undefined;
  #stopped = false;

  constructor(options: TicksOptions) {
    this.#options = options;
    this.#host = options.host ?? processHost;
  }

  /** When a shard is next to be looked at. */
  nextUs(state: ShardState): number {
    return Math.min(state.timers.nextUs, this.#nextTickUs(state));
  }

  /** Sets the timer for the first that is due of any shard. */
  arm(): void {
    this.#timer?.clear();
    if (this.#stopped) return;
    let first = Infinity;
    for (const state of this.#options.states()) first = Math.min(first, this.nextUs(state));
    if (first === Infinity) return;
    const inMs = Math.min(Math.max(Math.ceil((first - this.#options.clock.nowUs()) / 1000), 0), longestTimerMs);
    this.#timer = this.#host.setTimeout(() => this.fire(), inMs);
  }

  /** What is due. Called with every transaction, so that it waits for no other command. */
  fire(): void {
    if (this.#stopped) return;
    const nowUs = this.#options.clock.nowUs();
    for (const state of this.#options.states()) {
      if (this.nextUs(state) > nowUs) continue;
      this.#options.timersDue(state, nowUs);
      if (this.#nextTickUs(state) <= nowUs) void this.#tick(state);
    }
    // With a tick on its way the timer is set after it.
    if (this.#under.size === 0) this.arm();
  }

  /** Their memory is void, and with it what was put off. How often a shard has failed still counts: it may be back at once. */
  lost(states: readonly ShardState[]): void {
    for (const { id } of states) this.#putOff.delete(id);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.clear();
  }

  #nextTickUs(state: ShardState): number {
    // Where the clock was set back, the windows of rate limits are put right at once: tasks may wait for their end.
    const isSetBack = state.newestWindowUs > this.#options.clock.nowUs();
    return Math.max(isSetBack ? 0 : state.nextTickUs, this.#holds.untilUs(state.id));
  }

  async #tick(state: ShardState): Promise<void> {
    if (this.#under.has(state.id)) return;
    this.#under.add(state.id);
    try {
      const refusal = await this.#try(state, this.#options.isShared?.() === true ? perTickBesideOthers : perTick);
      if (refusal === undefined) {
        this.#holds.over(state.id);
        this.#putOff.get(state.id)?.lapse(this.#options.clock.nowUs());
      } else if (this.#isServed(state)) {
        await this.#isolate(state, refusal);
      } else {
        // The shard itself failed with it, and is recovered anew: halves would fail it again and again.
        this.#holdAll(state, refusal);
      }
    } catch (error) {
      // No owner, or the end of the engine: nothing that these deadlines brought about.
      this.#options.log.error({ err: error, shard: state.id }, 'due deadlines could not be handled');
    } finally {
      this.#under.delete(state.id);
    }
  }

  /** @returns why Postgres or the planner refused it */
  async #try(state: ShardState, most: number): Promise<HatchetError | undefined> {
    try {
      await this.#options.submit(state.id, { kind: 'tick', most });
      return undefined;
    } catch (error) {
      if (error instanceof HatchetError && error.code === 'COMMAND_FAILED') return error;
      throw error;
    }
  }

  /** Half as many, and half of those: what succeeds leaves less for the next tick, and what fails alone is the guilty one. */
  async #isolate(state: ShardState, refused: HatchetError): Promise<void> {
    let refusal = refused;
    for (let most = this.#dueIn(state); most > 1;) {
      most = Math.ceil(most / 2);
      const again = await this.#try(state, most);
      if (again === undefined) return;
      refusal = again;
    }
    const { clock } = this.#options;
    const empty = await this.#try(state, 0);
    const nowUs = clock.nowUs();
    if (empty === undefined) {
      const taskId = firstDue(state, nowUs);
      return taskId === undefined ? undefined : this.#putOffFirst(state, taskId, refusal);
    }
    this.#holdAll(state, empty);
  }

  #holdAll(state: ShardState, refusal: HatchetError): void {
    const { pauseMs, fails } = this.#holds.failed(state.id, this.#options.clock.nowUs());
    this.#options.log.error(
      { err: refusal, code: refusal.code, shard: state.id, fails, pauseMs },
      'due deadlines could not be handled; nothing that waits for a time in this shard goes on before the next try',
    );
  }

  #isServed(state: ShardState): boolean {
    for (const each of this.#options.states()) if (each === state) return true;
    return false;
  }

  async #putOffFirst(state: ShardState, taskId: string, refusal: HatchetError): Promise<void> {
    const { log, clock, submit } = this.#options;
    const holds = this.#putOff.get(state.id) ?? new HoldOff<string>();
    this.#putOff.set(state.id, holds);
    const { pauseMs, fails } = holds.failed(taskId, clock.nowUs());
    log.error(
      { err: refusal, code: refusal.code, task: taskId, fails, pauseMs },
      'what time brings a task could not be stored; it is tried again after a pause',
    );
    await submit(state.id, { kind: 'putOff', taskId, untilUs: holds.untilUs(taskId) });
  }

  /** How many are due, at the most. */
  #dueIn(state: ShardState): number {
    const nowUs = this.#options.clock.nowUs();
    return Math.min(perTick, state.deadlines.due(nowUs, perTick).length + state.durable.sleeps.size);
  }
}
