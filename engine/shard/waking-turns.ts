import { HatchetError } from '../base/errors.ts';
import { delay, processHost, type Host } from '../base/host.ts';
import type { Logger } from '../base/log.ts';
import type { WakeByEventCommand } from '../plan/commands/events/wake-by-event.ts';
import type { EventWaking } from '../plan/state/event-wakings.ts';
import type { ShardState } from '../plan/state/shard-state.ts';
import { HoldOff } from './hold-off.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

/** Keys of one tenant by which tasks are woken at once. */
const keysAtOnce = 5;
/** So often what waits first is tried alone, with growing pauses, before it is passed over: a minute in all. */
const mostTries = 6;

/** Beside other tenants a page is followed by a pause as long as itself, and no longer than this: half of all transactions are without. */
const longestPauseMs = 25;

export interface WakingTurnsOptions {
  log: Logger;
  states: () => Iterable<ShardState>;
  /** In the tenant's own turn. */
  submit: (shard: number, command: WakeByEventCommand) => Promise<void>;
  /** Several tenants are there. */
  isShared?: () => boolean;
  host?: Host;
}

/**
 * Sends the pages of events that wake many, one after the other of each tenant and key, for as long as a shard's memory has
 * such an event. Where Postgres refuses what would come of a page, the guilty task is found by halves; it is tried again, and
 * then left as it is, so that it holds up no other.
 */
export class WakingTurns {
  readonly #options: WakingTurnsOptions;
  readonly #host: Host;
  readonly #under = new Set<EventWaking>();
  /** By tenant, how many of `#under`. */
  readonly #atOnce = new Map<TenantId, number>();
  /** By event, how many its page has after refusals. */
  readonly #smaller = new Map<string, number>();
  /** Events of which a task alone was refused. */
  readonly #refused = new HoldOff<string>();
  /** Events that found no room, or no owner. */
  readonly #away = new HoldOff<string>();
  readonly #pauses = new Set<Promise<void>>();
  #stopped = false;

  constructor(options: WakingTurnsOptions) {
    this.#options = options;
    this.#host = options.host ?? processHost;
  }

  /** Called after every transaction. */
  fire(): void {
    if (this.#stopped) return;
    for (const state of this.#options.states())
      for (const tenantId of state.wakings.tenants) this.#fireTenant(state, tenantId);
  }

  /** While an event has more to wake, and leaves others their time. */
  get pausing(): Promise<void> | undefined {
    const [pause] = this.#pauses;
    return pause;
  }

  stop(): void {
    this.#stopped = true;
  }

  async #pause(ms: number): Promise<void> {
    const pause = delay(this.#host, ms);
    this.#pauses.add(pause);
    await pause;
    this.#pauses.delete(pause);
  }

  #fireTenant(state: ShardState, tenantId: TenantId): void {
    let atOnce = this.#atOnce.get(tenantId) ?? 0;
    if (atOnce >= keysAtOnce) return;
    const nowUs = this.#host.monotonicMs() * 1000;
    for (const waking of state.wakings.firsts(tenantId)) {
      if (this.#under.has(waking) || this.#untilUs(waking.eventId) > nowUs) continue;
      void this.#wake(state, waking);
      if (++atOnce >= keysAtOnce) return;
    }
  }

  async #wake(state: ShardState, waking: EventWaking): Promise<void> {
    const { tenantId, key, eventId } = waking;
    this.#under.add(waking);
    this.#atOnce.set(tenantId, (this.#atOnce.get(tenantId) ?? 0) + 1);
    const { wakingLimits } = state;
    const isShared = this.#options.isShared?.() === true;
    const beganMs = this.#host.monotonicMs();
    const most = isShared ? wakingLimits.tasksBesideOthers : wakingLimits.tasks;
    const tasks = this.#smaller.get(eventId) ?? most;
    const passesOver = tasks === 0;
    try {
      await this.#options.submit(state.id, {
        kind: 'wakeByEvent',
        tenantId,
        key,
        eventId,
        tasks: Math.max(tasks, 1),
        passesOver,
      });
      this.#refused.over(eventId);
      this.#away.over(eventId);
      // Behind the guilty one they are as many as before.
      if (tasks <= 1 || state.wakings.first(tenantId, key) !== waking) this.#smaller.delete(eventId);
      if (isShared) await this.#pause(Math.min(this.#host.monotonicMs() - beganMs, longestPauseMs));
    } catch (error) {
      this.#failed(error, waking, tasks);
    } finally {
      this.#under.delete(waking);
      const left = (this.#atOnce.get(tenantId) ?? 1) - 1;
      if (left > 0) this.#atOnce.set(tenantId, left);
      else this.#atOnce.delete(tenantId);
    }
    this.fire();
  }

  #failed(error: unknown, { eventId, key }: EventWaking, tasks: number): void {
    if (error instanceof HatchetError && error.code === 'STOPPING') return this.stop();
    const { log } = this.#options;
    const nowUs = this.#host.monotonicMs() * 1000;
    const isRefused = error instanceof HatchetError && error.code === 'COMMAND_FAILED';
    if (isRefused && tasks > 1) {
      this.#smaller.set(eventId, Math.floor(tasks / 2));
      return;
    }
    const { pauseMs, fails } = (isRefused ? this.#refused : this.#away).failed(eventId, nowUs);
    if (isRefused && tasks === 1 && fails >= mostTries) {
      log.error({ err: error, event: eventId, key }, 'a task that an event should wake is passed over: it waits on');
      this.#smaller.set(eventId, 0);
      this.#refused.over(eventId);
      return;
    }
    log.warn(
      { err: error, event: eventId, key, fails, pauseMs },
      'an event could not wake what waits for it; trying again',
    );
    this.#host.setTimeout(() => this.fire(), pauseMs + 1).unref();
  }

  #untilUs(eventId: string): number {
    return Math.max(this.#refused.untilUs(eventId), this.#away.untilUs(eventId));
  }
}
