import type { LogLine } from '../../context/context-host.ts';
import type { TaskLine } from './log-wire.ts';

/** Lines of one attempt that wait. Beyond them new lines are left out, and a line says how many. */
const longestQueue = 50_000;

/** While so many wait, code that awaits its lines is held up: then none is left out. */
const highWater = 5_000;

/** Characters of one line; the engine takes no more. */
const longestLine = 10_000;

/** The log of one attempt: its lines wait here, in their order, until the engine has them. */
export class AttemptLog {
  readonly #take: (line: LogLine) => boolean;
  readonly #task: Pick<TaskLine, 'taskRunExternalId' | 'retryCount'>;
  #waiting: TaskLine[] = [];
  #leftOut = 0;
  #onDrained: (() => void)[] = [];
  #onRoom: (() => void)[] = [];

  /** @param parts.take whether the worker has room for one more */
  constructor(parts: { take: (line: LogLine) => boolean; task: Pick<TaskLine, 'taskRunExternalId' | 'retryCount'> }) {
    this.#take = parts.take;
    this.#task = parts.task;
  }

  /** Lines that wait. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Whether there is nothing that the engine has still to be told. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#leftOut === 0;
  }

  /** Resolves at once, unless many wait; never rejects. */
  async write(line: LogLine): Promise<void> {
    for (const part of split(line)) this.#add(part);
    if (this.#waiting.length >= highWater) await new Promise<void>((resolve) => this.#onRoom.push(resolve));
  }

  /** Resolves when no line waits. */
  async flush(): Promise<void> {
    this.#tellLeftOut();
    if (this.#waiting.length > 0) await new Promise<void>((resolve) => this.#onDrained.push(resolve));
  }

  /** The lines from a place on. */
  peek(from: number, most: number): readonly TaskLine[] {
    return this.#waiting.slice(from, from + most);
  }

  /** The first lines are done with, except for those that are to be sent again. */
  settle(count: number, again: ReadonlySet<TaskLine>): void {
    const kept = again.size === 0 ? [] : this.#waiting.slice(0, count).filter((line) => again.has(line));
    this.#waiting = [...kept, ...this.#waiting.slice(count)];
    if (this.#waiting.length < highWater) for (const resolve of this.#onRoom.splice(0)) resolve();
    if (this.#waiting.length === 0) this.#tellLeftOut();
    if (this.#waiting.length === 0) for (const resolve of this.#onDrained.splice(0)) resolve();
  }

  /** Nobody takes lines any more. @returns how many waited */
  abandon(): number {
    const lost = this.#waiting.length + this.#leftOut;
    this.#leftOut = 0;
    this.settle(this.#waiting.length, new Set());
    return lost;
  }

  #add(line: LogLine): void {
    if (this.#waiting.length >= longestQueue) {
      this.#leftOut += 1;
      return;
    }
    this.#tellLeftOut();
    if (this.#leftOut > 0 || !this.#take(line)) this.#leftOut += 1;
    else this.#waiting.push({ ...line, ...this.#task });
  }

  /** Where the lines would have been. */
  #tellLeftOut(): void {
    if (this.#leftOut === 0) return;
    const line: LogLine = {
      at: new Date(),
      level: 'WARN',
      message: `${this.#leftOut} log lines were left out: they came faster than the engine could take them`,
      metadata: '{}',
    };
    if (!this.#take(line)) return;
    this.#leftOut = 0;
    this.#waiting.push({ ...line, ...this.#task });
  }
}

/** Lines have 1 to 10,000 characters: a longer one becomes several, an empty one none. */
function split(line: LogLine): LogLine[] {
  const parts: LogLine[] = [];
  for (let start = 0; start < line.message.length; start += longestLine)
    parts.push({ ...line, message: line.message.slice(start, start + longestLine) });
  return parts;
}
