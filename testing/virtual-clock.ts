import type { EngineTime } from '../engine/index.ts';
import { durationToMs, type Duration } from '../sdk/duration.ts';
import { TestingError } from './testing-error.ts';

/** Up to here microseconds are exact. */
const lastMs = Math.floor(Number.MAX_SAFE_INTEGER / 1000);
const defaultPatience = 1_000;

export interface AdvanceOptions {
  /**
   * Real time that a running task may go without a word to the engine before time goes on over it. @default '1s'
   */
  patience?: Duration | undefined;
}

/**
 * The engine's time. It runs on like any clock, and can be moved forward: deadlines, sleeps, crons, scheduled runs,
 * back-offs, time-outs and the windows of rate limits go by it.
 */
export class VirtualClock {
  #aheadUs = 0;
  /** When it was moved, oldest first: the system's time then, and how far ahead of it this has been since. */
  readonly #moves: { systemMs: number; aheadMs: number }[] = [];
  #startedAheadUs = 0;
  #time: EngineTime | undefined;
  #beforeTimePasses: (ms: number) => Promise<void> = () => Promise.resolve();
  #moving: Promise<void> = Promise.resolve();

  /** @param start what it shows first @default the present */
  constructor(start: Date | undefined) {
    if (start === undefined) return;
    checkTime(start.getTime());
    this.#aheadUs = (start.getTime() - Date.now()) * 1000;
    this.#startedAheadUs = this.#aheadUs;
  }

  /** For the engine. */
  nowUs(): number {
    return Date.now() * 1000 + this.#aheadUs;
  }

  /** For the engine: when it showed so. A time that it was moved over is that of the move. */
  systemMs(ms: number): number {
    let next = Infinity;
    for (const { systemMs, aheadMs } of this.#moves.toReversed()) {
      if (ms - aheadMs >= systemMs) return Math.min(ms - aheadMs, next);
      next = systemMs;
    }
    return Math.min(ms - this.#startedAheadUs / 1000, next);
  }

  /** The engine's time now. */
  now(): Date {
    return new Date(this.nowUs() / 1000);
  }

  /**
   * Lets time pass. It goes from one due time to the next, and at each lets the engine and the workers go quiet before it
   * goes on: what a task starts on the way, another sleep say, comes due on the way too. Resolves once all that became due
   * is committed and what it started has ended, waits for more time or for an event, or has been quiet for `patience`.
   * @throws HatchetError INVALID_DURATION; TestingError INVALID_TIME past the year 2255
   */
  async advance(duration: Duration, options: AdvanceOptions = {}): Promise<void> {
    await this.#move(() => this.nowUs() / 1000 + durationToMs(duration), options);
  }

  /** As `advance`, up to a time. @throws TestingError INVALID_TIME for one that has passed */
  async advanceTo(time: Date, options: AdvanceOptions = {}): Promise<void> {
    const targetMs = time.getTime();
    if (targetMs < this.nowUs() / 1000)
      throw new TestingError(
        'INVALID_TIME',
        `${time.toISOString()} has passed: the clock shows ${this.now().toISOString()}`,
        'Choose a later time; a new test engine can start at any.',
      );
    await this.#move(() => targetMs, options);
  }

  /** For the test engine, once its engine runs. @param beforeTimePasses what has to happen before the clock is moved */
  drive(time: EngineTime | undefined, beforeTimePasses: (ms: number) => Promise<void> = () => Promise.resolve()): void {
    this.#time = time;
    this.#beforeTimePasses = beforeTimePasses;
  }

  /** One after the other: two that ran at once would each go past what the other waits for. */
  #move(target: () => number, { patience = defaultPatience }: AdvanceOptions): Promise<void> {
    const patienceMs = durationToMs(patience);
    const moved = this.#moving.then(async () => {
      const targetMs = target();
      checkTime(targetMs);
      await this.#through(targetMs, patienceMs);
    });
    this.#moving = moved.catch(() => undefined);
    return moved;
  }

  async #through(targetMs: number, patienceMs: number): Promise<void> {
    const time = this.#time;
    if (time === undefined) throw new TestingError('STOPPED', 'the test engine has stopped', 'Move its clock before.');
    await time.quiet({ patienceMs });
    for (let dueMs = time.nextDueMs(); dueMs < targetMs; dueMs = time.nextDueMs())
      await this.#jump(dueMs, time, patienceMs);
    await this.#jump(targetMs, time, patienceMs);
  }

  async #jump(toMs: number, time: EngineTime, patienceMs: number): Promise<void> {
    // What leaves its worker for this may take away the reason to stop here; nothing is due then, and that is well.
    await this.#beforeTimePasses(Math.max(0, toMs - this.nowUs() / 1000));
    await time.quiet({ patienceMs });
    this.#aheadUs = Math.max(this.#aheadUs, Math.ceil((toMs - Date.now()) * 1000));
    this.#moves.push({ systemMs: Date.now(), aheadMs: this.#aheadUs / 1000 });
    time.moved();
    await time.quiet({ patienceMs });
  }
}

function checkTime(ms: number): void {
  if (ms >= 0 && ms <= lastMs) return;
  throw new TestingError(
    'INVALID_TIME',
    Number.isNaN(ms) ? 'the time is not valid' : `the clock cannot show ${new Date(ms).toISOString()}`,
    `Stay between 1970 and ${new Date(lastMs).getUTCFullYear()}.`,
  );
}
