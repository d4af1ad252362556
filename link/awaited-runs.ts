import type { WorkflowRunEvent } from '../proto/gen/hatchet/contract/dispatcher.ts';

/** Whoever waits for a run. */
export interface RunWaiter {
  onEnded(event: WorkflowRunEvent): void;
  /** The link carries nothing any more: the run has to be waited for in another way. */
  onLost(error: unknown): void;
}

/** The runs whose end a link is to bring. */
export class AwaitedRuns {
  readonly #waiters = new Map<string, RunWaiter>();
  /** Triggered to be waited for, and nobody waits yet: the end, once it has come. */
  readonly #early = new Map<string, WorkflowRunEvent | undefined>();

  /** For how many somebody waits. */
  get size(): number {
    return this.#waiters.size;
  }

  /** Those that a new session has to be told of. */
  *[Symbol.iterator](): Generator<string> {
    yield* this.#waiters.keys();
    for (const [runId, event] of this.#early) if (event === undefined) yield runId;
  }

  isWanted(runId: string): boolean {
    return this.#waiters.has(runId) || this.#early.has(runId);
  }

  /** It is triggered, and its end is asked for with the trigger. */
  expect(runId: string): void {
    this.#early.set(runId, undefined);
  }

  /** It was not started. */
  unexpect(runId: string): void {
    this.#early.delete(runId);
  }

  /** The engine gave it another id. */
  rename(runId: string, made: string): void {
    if (this.#early.delete(runId)) this.#early.set(made, this.#early.get(made));
  }

  /** @returns `told` where the end has come already, `asked` where the engine was asked for it with the trigger */
  wait(runId: string, waiter: RunWaiter): 'told' | 'asked' | 'new' {
    const isAsked = this.#early.has(runId);
    const event = this.#early.get(runId);
    this.#early.delete(runId);
    if (event !== undefined) {
      queueMicrotask(() => waiter.onEnded(event));
      return 'told';
    }
    this.#waiters.set(runId, waiter);
    return isAsked ? 'asked' : 'new';
  }

  leave(runId: string, waiter: RunWaiter): void {
    if (this.#waiters.get(runId) === waiter) this.#waiters.delete(runId);
  }

  ended(event: WorkflowRunEvent): void {
    const { workflowRunId: runId } = event;
    const waiter = this.#waiters.get(runId);
    if (waiter === undefined) {
      if (this.#early.has(runId)) this.#early.set(runId, event);
      return;
    }
    this.#waiters.delete(runId);
    waiter.onEnded(event);
  }

  /** The link carries nothing any more. */
  lose(error: unknown): void {
    this.#early.clear();
    const waiters = [...this.#waiters.values()];
    this.#waiters.clear();
    for (const waiter of waiters) waiter.onLost(error);
  }
}
