import { AsyncLocalStorage } from 'node:async_hooks';
import type { DurableSpawner } from './durable-child.ts';
import type { ForgottenCalls } from './forgotten-calls.ts';

/** The task that is running, as the runs that it starts see it: they become its children. */
export interface ParentRun {
  readonly workflowRunId: string;
  readonly taskRunExternalId: string;
  readonly workerId: string | undefined;
  readonly signal: AbortSignal;
  /** The next child's index. A retried parent counts from 0 again and so gets the same children. */
  nextChildIndex: number;
  /** Of a durable task: its children go through its log. */
  readonly durable?: DurableSpawner | undefined;
  /** The code is that of a memo: it is not run again, so nothing of it can be in the log. */
  readonly inMemo?: boolean | undefined;
  /** Hears of calls that failed and that nobody waits for. */
  readonly forgotten?: ForgottenCalls | undefined;
}

const storage = new AsyncLocalStorage<ParentRun>();

export function withParentRun<Result>(parent: ParentRun, body: () => Result): Result {
  return storage.run(parent, body);
}

/**
 * What is asked of a task's context is that task's own: a queue, a pool or a limiter that tasks share runs its jobs in the
 * asynchronous context of whichever of them was there last.
 */
export function asTask<Result>(task: ParentRun | undefined, body: () => Result): Result {
  if (task === undefined) return body();
  const here = storage.getStore();
  // The task's memos have the same signal, and stay memos; its next invocation has another.
  return here === task || here?.signal === task.signal ? body() : storage.run(task, body);
}

/** As a task's memos see it. */
export class MemoRun implements ParentRun {
  nextChildIndex: number;
  readonly durable = undefined;
  readonly inMemo = true;
  readonly #task: ParentRun;

  constructor(task: ParentRun) {
    this.#task = task;
    this.nextChildIndex = task.nextChildIndex;
  }

  get workflowRunId(): string {
    return this.#task.workflowRunId;
  }

  get taskRunExternalId(): string {
    return this.#task.taskRunExternalId;
  }

  get workerId(): string | undefined {
    return this.#task.workerId;
  }

  get signal(): AbortSignal {
    return this.#task.signal;
  }

  get forgotten(): ForgottenCalls | undefined {
    return this.#task.forgotten;
  }
}

export function currentParentRun(): ParentRun | undefined {
  return storage.getStore();
}

/** Indices are taken before anything is awaited, so that they follow the order of the calls in the task's code. */
export function takeChildIndices(parent: ParentRun | undefined, count: number): number | undefined {
  if (parent === undefined) return undefined;
  const first = parent.nextChildIndex;
  parent.nextChildIndex += count;
  return first;
}
