import type { DurableEventLogEntryRef } from '../../proto/gen/hatchet/contract/v1/dispatcher.ts';

/** An invocation that left, until the engine has said that it knows. */
export interface Departure {
  readonly taskRunExternalId: string;
  readonly invocationCount: number;
  readonly reason: string;
  /** What it waited for. */
  readonly waits: readonly DurableEventLogEntryRef[];
  /** Whether it must start again although it may wait for nothing: it cannot know what the engine took of its requests. */
  restore: boolean;
}

/** Seconds after which the engine is asked anew what became of one that left; after twice as long each time. */
const firstAskTicks = 1;
const longestAskTicks = 300;

/** Until it is asked whether one that was to start again did. */
const wokenTicks = 4;

/** One that was to start again at once is given up after about a minute. */
const longestRestoreTicks = 32;

/** Of those that left, so many are asked for: the newest. */
const mostLeft = 10_000;

/** The engine refuses to let go of a task, or has not answered: it is told again so often, once a second. */
const mostTellings = 30;

interface Left {
  readonly departure: Departure;
  /** Until it is asked for. */
  ticks: number;
  /** Since it was last asked for, it was to start again. */
  woken: boolean;
  interval: number;
}

/**
 * Invocations that have left. Each is told to the engine until it says that it knows. A Hatchet cluster can lose what would
 * wake a task that waits elsewhere: a result that was on its way to the invocation as it left, and the start itself where its
 * Postgres refuses it. So it is asked for what they wait for until it says that a newer invocation has begun; where something
 * of that is there, the task is to start again at once.
 */
export class EvictedInvocations {
  readonly #restore: (departure: Departure) => Promise<void>;
  readonly #pending = new Map<string, { departure: Departure; tellings: number }>();
  readonly #left = new Map<string, Left>();
  readonly #refused = new Set<string>();
  /** Tasks that left and are to start again at once, until they are. */
  #restoring = 0;
  #onDeparted: (() => void)[] = [];

  /** @param restore has a task that has left start again; resolves once it does, or has ended */
  constructor(restore: (departure: Departure) => Promise<void>) {
    this.#restore = restore;
  }

  get pending(): Departure[] {
    return [...this.#pending.values()].map(({ departure }) => departure);
  }

  /** Those that the engine may have been told of are to be told again at the next tick, unless it says by then that their tasks go on elsewhere. */
  tellAgain(): void {
    for (const key of this.#pending.keys()) this.#refused.add(key);
  }

  add(departure: Departure): void {
    this.#pending.set(keyOf(departure), { departure, tellings: 1 });
  }

  /** The engine knows. @param mayBeLost whether what wakes it may be lost */
  known(key: string, mayBeLost: boolean): void {
    const departure = this.#pending.get(key)?.departure;
    if (departure === undefined) return;
    this.#pending.delete(key);
    if (departure.restore) this.#startAgain(departure);
    if (mayBeLost) this.#watch(key, departure);
    this.#tellDeparted();
  }

  /** The task is on its way again already, or has ended: there is nothing to tell. */
  forget(key: string): void {
    this.#left.delete(key);
    this.#pending.delete(key);
    this.#tellDeparted();
  }

  /** A result has come for an invocation that is not here. */
  result(key: string): void {
    const pending = this.#pending.get(key);
    if (pending !== undefined) pending.departure.restore = true;
    const left = this.#left.get(key);
    if (left === undefined || left.woken) return;
    this.#startAgain(left.departure);
    left.woken = true;
    left.ticks = Math.min(left.ticks, wokenTicks);
    left.interval = wokenTicks;
  }

  #watch(key: string, departure: Departure): void {
    this.#left.set(key, {
      departure,
      ticks: departure.restore ? wokenTicks : 0,
      interval: departure.restore ? wokenTicks : firstAskTicks,
      woken: departure.restore,
    });
    if (this.#left.size > mostLeft)
      for (const oldest of this.#left.keys()) {
        this.#left.delete(oldest);
        break;
      }
  }

  /** Once a second. @returns what those wait for that the engine is to be asked for now */
  due(): (readonly DurableEventLogEntryRef[])[] {
    const due: (readonly DurableEventLogEntryRef[])[] = [];
    for (const [key, left] of this.#left) {
      if (left.ticks-- > 0) continue;
      left.woken = false;
      left.ticks = left.interval;
      left.interval = Math.min(left.interval * 2, longestAskTicks);
      due.push(left.departure.waits);
      if (!left.departure.restore) continue;
      // It may wait for nothing of which the engine could say that it is there.
      this.#startAgain(left.departure);
      if (left.interval > longestRestoreTicks) this.#left.delete(key);
    }
    return due;
  }

  /** Once a second. @returns those that the engine is to be told of again: it has refused them */
  tick(): Departure[] {
    const again = [...this.#refused].flatMap((key) => this.#pending.get(key) ?? []);
    this.#refused.clear();
    for (const pending of again) pending.tellings += 1;
    return again.map(({ departure }) => departure);
  }

  /** The engine could not carry it out. */
  refused(key: string): void {
    const pending = this.#pending.get(key);
    if (pending === undefined) return;
    if (pending.tellings < mostTellings) this.#refused.add(key);
    else this.forget(key);
  }

  /** Resolves when the engine knows of all that have left, and those that are to start again at once can. */
  async departed(): Promise<void> {
    if (this.#pending.size + this.#restoring > 0) await new Promise<void>((resolve) => this.#onDeparted.push(resolve));
  }

  #startAgain(departure: Departure): void {
    this.#restoring += 1;
    void this.#restore(departure).finally(() => {
      this.#restoring -= 1;
      this.#tellDeparted();
    });
  }

  #tellDeparted(): void {
    if (this.#pending.size + this.#restoring === 0) for (const resolve of this.#onDeparted.splice(0)) resolve();
  }
}

export function keyOf({
  taskRunExternalId,
  invocationCount,
}: {
  taskRunExternalId: string;
  invocationCount: number;
}): string {
  return `${taskRunExternalId} ${invocationCount}`;
}
