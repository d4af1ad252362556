import type { DurableTaskEventLogEntryCompletedResponse } from '../../proto/gen/hatchet/contract/v1/dispatcher.ts';
import type { Place } from './open-nodes.ts';

/** Seconds in which code asks for a place whose result is there. */
const longestTicks = 5;

/**
 * Where answers and results leave the engine each on its own, a result can come before the answer that names its place, or
 * before the code has asked for that. It is kept, and those behind it with it, since their order is the recorded one.
 */
export class EarlyResults {
  readonly #kept: DurableTaskEventLogEntryCompletedResponse[] = [];
  /** The last place that was given. */
  #newest = 0n;
  #ticks = 0;

  placed(places: readonly Place[]): void {
    for (const { nodeId } of places) if (nodeId > this.#newest) this.#newest = nodeId;
  }

  /** @returns whether it is kept */
  keep(result: DurableTaskEventLogEntryCompletedResponse): boolean {
    const keeps = this.#kept.length > 0 || this.#isEarly(result);
    if (keeps) this.#kept.push(result);
    return keeps;
  }

  /** The next one whose place was given by now. */
  take(): DurableTaskEventLogEntryCompletedResponse | undefined {
    const [first] = this.#kept;
    return first === undefined || this.#isEarly(first) ? undefined : this.#kept.shift();
  }

  /**
   * Called once a second. Code that was changed may never ask for a place whose result is there: that one is given up after
   * some seconds in which the code only waits, and what the code asks for next says whether it took another way.
   */
  tick(waits: boolean): void {
    this.#ticks = waits && this.#kept.length > 0 ? this.#ticks + 1 : 0;
    if (this.#ticks > longestTicks) this.#kept.shift();
  }

  clear(): void {
    this.#kept.length = 0;
  }

  #isEarly({ ref }: DurableTaskEventLogEntryCompletedResponse): boolean {
    return (ref?.nodeId ?? 0n) > this.#newest;
  }
}
