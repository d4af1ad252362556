import type { LogLine } from '../context/context-host.ts';
import { asError } from '../errors.ts';
import type { Logger } from '../logger.ts';

/** Lines that wait. Beyond them new lines are left out, and a line says how many. */
const longestQueue = 10_000;

/** Characters of one line; the engine takes no more. */
const longestLine = 10_000;

/** Hands one line over. @throws when it could not, after trying for a while */
export type SendLine = (line: LogLine) => Promise<unknown>;

interface Waiting {
  line: LogLine;
  done(): void;
}

/** The log of one attempt: lines go one after the other, because the engine keeps them in the order of their arrival. */
export class AttemptLog {
  readonly #send: SendLine;
  readonly #logger: Logger;
  readonly #label: string;
  readonly #waiting: Waiting[] = [];
  #leftOut = 0;
  #draining: Promise<void> | undefined;

  constructor(send: SendLine, logger: Logger, label: string) {
    this.#send = send;
    this.#logger = logger;
    this.#label = label;
  }

  /** Resolves when the engine has the line, or it was given up; never rejects. */
  async write(line: LogLine): Promise<void> {
    const parts = split(line);
    if (this.#waiting.length + parts.length > longestQueue) {
      this.#leftOut += 1;
      return;
    }
    const handedOver = parts.map((part) => new Promise<void>((done) => this.#waiting.push({ line: part, done })));
    this.#draining ??= this.#drain();
    await Promise.all(handedOver);
  }

  /** Resolves when no line waits. */
  async flush(): Promise<void> {
    await this.#draining;
  }

  async #drain(): Promise<void> {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      try {
        await this.#send(next.line);
        next.done();
      } catch (error) {
        next.done();
        await this.#giveUp(asError(error));
      }
    }
    this.#draining = undefined;
  }

  #next(): Waiting | undefined {
    const next = this.#waiting.shift();
    if (next !== undefined || this.#leftOut === 0) return next;
    const message = `${this.#leftOut} log lines were left out: they came faster than the engine could take them`;
    this.#leftOut = 0;
    return { line: { at: new Date(), level: 'WARN', message, metadata: '{}' }, done: () => {} };
  }

  /** The engine is away, or takes no lines of this task: a result must not wait for its log for ever. */
  async #giveUp(error: Error): Promise<void> {
    const rest = this.#waiting.splice(0);
    for (const waiting of rest) waiting.done();
    await this.#logger.warn(`${rest.length + 1 + this.#leftOut} log lines of ${this.#label} could not be handed over`, error);
    this.#leftOut = 0;
  }
}

/** Lines have 1 to 10,000 characters: a longer one becomes several, an empty one none. */
function split(line: LogLine): LogLine[] {
  const parts: LogLine[] = [];
  for (let start = 0; start < line.message.length; start += longestLine) parts.push({ ...line, message: line.message.slice(start, start + longestLine) });
  return parts;
}
