import type { DurableMessage, DurableRequest } from '../../link/linked-durable-streams.ts';
import type { Due } from './turns.ts';

export type { DurableMessage, DurableRequest };
export type Answer = Extract<DurableMessage, { $case: 'waitForAck' | 'memoAck' | 'triggerRunsAck' }>;

/** What an invocation's code has asked the engine for. */
export interface Question {
  readonly request: DurableRequest;
  /** Of one whose answer the code waits for. */
  readonly due: Due | undefined;
  readonly take: (answer: Answer) => void;
  readonly fail: (error: Error) => void;
  /** Gives what it means where the log holds something else at its place; undefined where it means that the task fails. */
  readonly mismatched: (() => void) | undefined;
}

/**
 * The questions of one invocation that are not answered, in their order. The engine gives them places in the log in the order
 * in which it takes them up: one that says that it takes up requests in the order in which they come is sent all at once,
 * any other the next one only once the last is answered.
 */
export class UnansweredRequests {
  readonly #pipelined: boolean;
  readonly #questions: Question[] = [];
  /** The first so many of them. */
  #sent = 0;
  #waitedTicks = 0;

  constructor(pipelined: boolean) {
    this.#pipelined = pipelined;
  }

  get size(): number {
    return this.#questions.length;
  }

  /** Whether one was sent. */
  get hasSent(): boolean {
    return this.#sent > 0;
  }

  add(question: Question): void {
    this.#questions.push(question);
  }

  /** Those that can be sent; they count as sent now. */
  takeUnsent(): DurableRequest[] {
    if (!this.#pipelined && this.#sent > 0) return [];
    const unsent = this.#questions.slice(this.#sent, this.#pipelined ? undefined : 1);
    this.#sent += unsent.length;
    return unsent.map(({ request }) => request);
  }

  /** The oldest one was answered. */
  shift(): Question | undefined {
    this.#waitedTicks = 0;
    this.#sent = Math.max(0, this.#sent - 1);
    return this.#questions.shift();
  }

  /** All, none of which will be answered. */
  clear(): Question[] {
    this.#waitedTicks = this.#sent = 0;
    return this.#questions.splice(0);
  }

  /** Called at intervals. @returns for how many of them the oldest one has been without an answer */
  tick(): number {
    this.#waitedTicks = this.#sent > 0 ? this.#waitedTicks + 1 : 0;
    return this.#waitedTicks;
  }

  /** What the oldest one asked for: `triggerRuns`. */
  get oldest(): DurableRequest['$case'] | undefined {
    return this.#questions[0]?.request.$case;
  }
}
