import { processHost, type Host, type HostTimer } from './host.ts';

/** How often the process looks whether it is awake, and how late a look may come before the rest counts as a pause. */
const lookMs = 200;
const toleratedMs = 400;
/** A pause of this length may have left input on the sockets that was there long before. */
const longPauseMs = 1_000;
/** A worker says something every 4 s: one that was asleep with the engine has spoken by then. */
const longestCatchUpMs = 5_000;

/**
 * A monotonic clock that stands still while the process does: while its event loop is blocked, while it is stopped by a
 * signal, while the machine sleeps. A timer looks at the time five times a second, and the clock never runs further than
 * `toleratedMs` past the last look. So whoever was silent for a time by this clock was silent although the process listened.
 */
export class AwakeClock {
  readonly #host: Host;
  readonly #timer: HostTimer;
  #lookedAtMs: number;
  #awakeMs = 0;
  #pausedMs = 0;
  #catchUpUntilMs = 0;

  constructor(host: Host = processHost) {
    this.#host = host;
    this.#lookedAtMs = host.monotonicMs();
    this.#timer = host.setInterval(() => this.#look(), lookMs);
    this.#timer.unref();
  }

  /** Time in which the process was awake. */
  nowMs(): number {
    return this.#awakeMs + Math.min(this.#sinceLook(), toleratedMs);
  }

  /** All pauses together, the present one included. */
  pausedMs(): number {
    return this.#pausedMs + Math.max(this.#sinceLook() - toleratedMs, 0);
  }

  /**
   * Whether what was said during a pause may still be unread: for as long as the pause was, 5 s at the most. No verdict on
   * those who speak to the process is passed meanwhile.
   */
  isCatchingUp(): boolean {
    return this.#sinceLook() - toleratedMs >= longPauseMs || this.nowMs() < this.#catchUpUntilMs;
  }

  stop(): void {
    this.#timer.clear();
  }

  #sinceLook(): number {
    return Math.max(this.#host.monotonicMs() - this.#lookedAtMs, 0);
  }

  #look(): void {
    const since = this.#sinceLook();
    const pause = Math.max(since - toleratedMs, 0);
    this.#lookedAtMs += since;
    this.#awakeMs += since - pause;
    this.#pausedMs += pause;
    if (pause >= longPauseMs)
      this.#catchUpUntilMs = Math.max(this.#catchUpUntilMs, this.#awakeMs + Math.min(pause, longestCatchUpMs));
  }
}
