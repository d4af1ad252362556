import { setMaxListeners } from 'node:events';
import { status } from '@grpc/grpc-js';
import { backoffMs, pause, type Backoff } from '../../../link/backoff.ts';
import { statusOf } from '../../connection/call-error.ts';
import type { LogLine } from '../../context/context-host.ts';
import { asError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { AttemptLog } from './attempt-log.ts';
import { mostFaults, type PutResult, type TaskLine } from './log-wire.ts';

/** Of one call: the engine takes 1,000 lines, and messages of 4 MiB. */
const mostLines = 1_000;
const mostChars = 768 * 1024;

/** Lines of one attempt in a row while others wait: one that logs without end holds nobody up. */
const linesInTurn = 100;

/** Characters that wait in this worker, over all attempts. Beyond them lines are left out. */
const longestQueue = 64 * 1024 * 1024;

/** Characters that a line takes besides its texts. */
const lineCost = 100;

const backoff: Backoff = { firstMs: 50, longestMs: 3_000 };

const away: ReadonlySet<status> = new Set([
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.CANCELLED,
  status.RESOURCE_EXHAUSTED,
]);

/** How lines go out. One try. */
export interface Wire {
  put(lines: readonly TaskLine[], signal: AbortSignal): Promise<PutResult>;
}

/**
 * Sends the log lines of all tasks of a worker: one call at a time, with what has gathered while the one before was under
 * way, attempts in turn. An engine that is away gets them when it is back.
 */
export class LogSender {
  readonly #wire: Wire;
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  /** Attempts with lines, in the order of their turns. */
  readonly #ready = new Set<AttemptLog>();
  #chars = 0;
  #sending: Promise<void> | undefined;
  #wake: AbortController | undefined;

  constructor(wire: Wire, logger: Logger) {
    this.#wire = wire;
    this.#logger = logger;
    // Every call under way listens.
    setMaxListeners(0, this.#stopping.signal);
  }

  /** The log of an attempt. */
  open(task: Pick<TaskLine, 'taskRunExternalId' | 'retryCount'>): AttemptLog {
    const log: AttemptLog = new AttemptLog({
      take: (line) => this.#take(log, line),
      task,
    });
    return log;
  }

  /** Waits until nothing is left, or the time is over. What is left then is lost, and counted. */
  async stop(patienceMs: number): Promise<void> {
    const done = new AbortController();
    // What waits for a better moment is tried at once.
    this.#wake?.abort();
    await Promise.race([this.#sending, pause(patienceMs, done.signal)]);
    done.abort();
    this.#stopping.abort();
    const lost = [...this.#ready].reduce((count, log) => count + log.abandon(), 0);
    this.#ready.clear();
    this.#chars = 0;
    if (lost > 0) await this.#logger.warn(`${lost} log lines could not be handed over before the worker stopped`);
  }

  /** @returns whether there is room for it */
  #take(log: AttemptLog, line: LogLine): boolean {
    if (this.#stopping.signal.aborted || this.#chars > longestQueue) return false;
    this.#chars += cost(line);
    this.#ready.add(log);
    this.#sending ??= this.#send();
    return true;
  }

  async #send(): Promise<void> {
    // What a task logs in one go is one call.
    await new Promise((resolve) => setImmediate(resolve));
    for (let tries = 0, faults = 0; this.#ready.size > 0 && !this.#stopping.signal.aborted;) {
      const { lines, owners } = this.#next();
      const { refused, again, failure } = await this.#wire.put(lines, this.#stopping.signal);
      if (this.#stopping.signal.aborted) break;
      faults = failure === undefined || again.length < lines.length || isAway(failure) ? 0 : faults + 1;
      const isGivenUp = faults >= mostFaults;
      this.#settle({ lines, owners, again: isGivenUp ? [] : again });
      const lost = {
        count: (refused?.count ?? 0) + (isGivenUp ? again.length : 0),
        reason: refused?.reason ?? failure,
      };
      if (lost.count > 0)
        await this.#logger.warn(
          `${lost.count} log ${lost.count === 1 ? 'line was' : 'lines were'} not taken`,
          asError(lost.reason),
        );
      if (failure === undefined || isGivenUp) tries = faults = 0;
      else await this.#wait(tries++, failure);
    }
    this.#sending = undefined;
  }

  async #wait(tries: number, failure: unknown): Promise<void> {
    if (tries === 3) await this.#logger.warn('log lines could not be handed over yet; trying on', asError(failure));
    this.#wake = new AbortController();
    await pause(backoffMs(backoff, tries, Math.random()), AbortSignal.any([this.#wake.signal, this.#stopping.signal]));
    this.#wake = undefined;
  }

  /** The next call's lines: each attempt's in their order. */
  #next(): { lines: TaskLine[]; owners: Map<AttemptLog, number> } {
    const lines: TaskLine[] = [];
    const owners = new Map<AttemptLog, number>();
    let room = mostChars;
    const inTurn = this.#ready.size === 1 ? mostLines : linesInTurn;
    for (let progress = true; progress && lines.length < mostLines && room > 0;) {
      progress = false;
      for (const log of this.#ready) {
        const from = owners.get(log) ?? 0;
        let taken = 0;
        for (const line of log.peek(from, Math.min(inTurn, mostLines - lines.length))) {
          if (room <= 0) break;
          room -= cost(line);
          lines.push(line);
          taken += 1;
        }
        if (taken > 0) owners.set(log, from + taken);
        progress ||= taken > 0;
      }
    }
    return { lines, owners };
  }

  /** Takes from each attempt what is done with. A line that failed stands before those that follow it. */
  #settle({
    lines,
    owners,
    again,
  }: {
    lines: readonly TaskLine[];
    owners: ReadonlyMap<AttemptLog, number>;
    again: readonly TaskLine[];
  }): void {
    const left = new Set(again);
    for (const line of lines) if (!left.has(line)) this.#chars -= cost(line);
    for (const [log, count] of owners) {
      log.settle(count, left);
      // To the end of the turns.
      this.#ready.delete(log);
      if (log.size > 0) this.#ready.add(log);
    }
  }
}

function cost({ message, metadata }: LogLine): number {
  return message.length + metadata.length + lineCost;
}

/** The engine is not there, or has too much to write: nothing is wrong with the lines. */
function isAway(error: unknown): boolean {
  const code = statusOf(error);
  return code !== undefined && away.has(code);
}
