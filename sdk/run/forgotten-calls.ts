import { TaskCancelledError } from '../errors.ts';
import { safely } from '../failure/safe-reads.ts';
import type { TaskPromise } from './task-promise.ts';

/** Of one attempt; the rest are counted. */
const mostTold = 100;

/** Whose call it was that failed so. */
const owners = new WeakMap<object, ForgottenCalls>();

/**
 * What a task has begun, and what failed without its code coming to it. The code may come to a failure long after it
 * happened, so that only the end of the task tells what was forgotten: that is told of then.
 */
export class ForgottenCalls {
  readonly #tell: (reason: unknown) => void;
  readonly #tellCount: (count: number) => void;
  readonly #failed: { promise: TaskPromise<unknown>; reason: unknown }[] = [];
  readonly #told = new Set<unknown>();
  #left = 0;
  #isOver = false;

  /** @param tell of a failure that nobody waited for @param tellCount of more of them */
  constructor(tell: (reason: unknown) => void, tellCount: (count: number) => void) {
    this.#tell = tell;
    this.#tellCount = tellCount;
  }

  /** What the task has begun has failed. */
  failed(promise: TaskPromise<unknown>, reason: unknown): void {
    if (typeof reason === 'object' && reason !== null) owners.set(reason, this);
    if (!this.#isOver) this.#failed.push({ promise, reason });
    // Code that goes on after its task's end may come to it still; but nothing else will ever tell.
    else setImmediate(() => promise.isHeeded || this.forget(reason));
  }

  /** Nobody waits for what failed so, nor for what was made of it. */
  forget(reason: unknown): void {
    if (this.#told.has(reason) || isCancelled(reason)) return;
    if (this.#told.size >= mostTold) {
      this.#left += 1;
      return;
    }
    this.#told.add(reason);
    this.#tell(reason);
  }

  /** The task's code has ended. */
  end(): void {
    this.#isOver = true;
    for (const { promise, reason } of this.#failed.splice(0)) if (!promise.isHeeded) this.forget(reason);
    if (this.#left > 0) this.#tellCount(this.#left);
    this.#left = 0;
  }
}

/** The task one of whose calls failed so. */
export function ownerOf(reason: unknown): ForgottenCalls | undefined {
  return typeof reason === 'object' && reason !== null ? owners.get(reason) : undefined;
}

/** All that a cancelled task waits for is rejected: nothing went wrong. */
export function isCancelled(reason: unknown): boolean {
  return safely(() => reason instanceof TaskCancelledError, false);
}
