import type { DurableSender } from '../../model/durable/durable-operation.ts';
import type { Parsed } from '../../edge/parsed-commands.ts';

export type AskKind = 'waitFor' | 'memo' | 'triggerRuns';

/** A request that was not answered yet. */
export interface OpenRequest {
  readonly sender: Parsed<DurableSender>;
  readonly kind: AskKind;
  /** Refusals of what the task asked for next: a worker takes an error for the answer to its oldest request. */
  readonly refusals: (() => void)[];
}

/**
 * The requests of one durable stream, and their order. A task's requests are submitted in the order in which they came,
 * without waiting for each other's commits; what the task is told leaves in the order in which it was planned. Tasks don't
 * wait for each other.
 */
export class DurableRequests {
  readonly #fail: (error: unknown) => void;
  #newest = 0;
  /** By the requests' numbers, which go up. */
  readonly #open = new Map<number, OpenRequest>();
  /** By task: the last request on its way to the owner, and the last message on its way to the worker. */
  readonly #in = new Map<string, Promise<unknown>>();
  readonly #out = new Map<string, Promise<void>>();

  /** @param fail ends the stream */
  constructor(fail: (error: unknown) => void) {
    this.#fail = fail;
  }

  /** @returns the request's number */
  open(sender: Parsed<DurableSender>, kind: AskKind): number {
    const request = ++this.#newest;
    this.#open.set(request, { sender, kind, refusals: [] });
    return request;
  }

  find(request: number): OpenRequest | undefined {
    return this.#open.get(request);
  }

  /** What was refused after it goes out now. */
  settle(request: number): void {
    const settled = this.#open.get(request);
    this.#open.delete(request);
    for (const refuse of settled?.refusals ?? []) refuse();
  }

  /** What is refused before its plan would else overtake the answers to requests of the task whose commits are under way. */
  refuseInTurn(request: number, refuse: () => void): void {
    const own = this.#open.get(request);
    if (own === undefined) return;
    const before = this.#openBefore(request, own.sender.taskId);
    if (before !== undefined) {
      before.refusals.push(() => this.refuseInTurn(request, refuse));
      return;
    }
    this.leave(own.sender.taskId, Promise.resolve(), refuse);
    this.settle(request);
  }

  #openBefore(request: number, taskId: string): OpenRequest | undefined {
    let last: OpenRequest | undefined;
    for (const [number, open] of this.#open) {
      if (number >= request) break;
      if (open.sender.taskId === taskId) last = open;
    }
    return last;
  }

  /**
   * Prepares and submits after what the task asked for before was submitted: at once, where nothing is on its way and nothing has
   * to be waited for.
   * @param submit gives the commit, for which what comes next does not wait
   * @returns the commit
   */
  enter<Prepared, Reply>(
    taskId: string,
    prepare: () => Prepared | Promise<Prepared>,
    submit: (prepared: Prepared) => Promise<Reply>,
  ): Promise<Reply> {
    const before = this.#in.get(taskId);
    let prepared: Prepared | Promise<Prepared>;
    try {
      prepared = before === undefined ? prepare() : before.then(prepare);
    } catch (error) {
      return Promise.reject(error);
    }
    if (!(prepared instanceof Promise)) return submit(prepared);
    const submitted = prepared.then((ready) => ({ committed: submit(ready) }));
    this.holdUp(taskId, submitted);
    return submitted.then(({ committed }) => committed);
  }

  /** When what the task asked for so far has been submitted; undefined where it has been. */
  entered(taskId: string): Promise<unknown> | undefined {
    return this.#in.get(taskId);
  }

  /** What the task asks for next is submitted after this. */
  holdUp(taskId: string, done: Promise<unknown>): void {
    const settled = done.catch(() => undefined);
    this.#in.set(taskId, settled);
    void settled.then(() => {
      if (this.#in.get(taskId) === settled) this.#in.delete(taskId);
    });
  }

  /** Writes after what the task was told before: at once, where that has been and what is written is at hand. */
  leave<T>(
    taskId: string,
    ready: T | Promise<T>,
    write: (value: T) => void,
    refuse: (error: unknown) => void = this.#fail,
  ): void {
    const before = this.#out.get(taskId);
    if (before === undefined && !(ready instanceof Promise)) return write(ready);
    const known = Promise.resolve(ready);
    known.catch(() => undefined); // told in its turn, which may come later
    const done = (before ?? Promise.resolve()).then(() => known).then(write, refuse);
    this.#out.set(taskId, done);
    void done.then(() => {
      if (this.#out.get(taskId) === done) this.#out.delete(taskId);
    });
  }
}
