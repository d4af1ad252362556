import { setMaxListeners } from 'node:events';
import { TaskCancelledError } from '../errors.ts';

/** As many ended attempts, and up to as many more, are remembered, so that one that is delivered again does not run again. */
const longestMemory = 20_000;

/** An attempt that this worker has, until its result was acknowledged. */
export class Attempt {
  readonly key: string;
  readonly label: string;
  #abortController: AbortController | undefined;
  #reason: unknown;
  #isCancelled = false;
  #onCancelled: ((reason: unknown) => void) | undefined;

  constructor(key: string, label: string) {
    this.key = key;
    this.label = label;
  }

  /** Made for who asks for it: an attempt that nobody cancels and whose code never looks does without. */
  get abortController(): AbortController {
    if (this.#abortController === undefined) {
      this.#abortController = new AbortController();
      // Every child that the task waits for listens, and so may its own code.
      const { signal } = this.#abortController;
      setMaxListeners(0, signal);
      if (this.#isCancelled) this.#abortController.abort(this.#reason);
      else if (this.#onCancelled !== undefined) this.#hearOf(signal);
    }
    return this.#abortController;
  }

  /** Also by its own code. */
  get isCancelled(): boolean {
    return this.#abortController?.signal.aborted ?? this.#isCancelled;
  }

  cancel(reason: Error): void {
    if (this.#abortController !== undefined) this.#abortController.abort(reason);
    else if (!this.#isCancelled) {
      this.#isCancelled = true;
      this.#reason = reason;
      this.#onCancelled?.(reason);
    }
  }

  /** Calls the one who runs its code back once it is cancelled; at once where it is. */
  onCancelled(listener: (reason: unknown) => void): void {
    if (this.isCancelled) return listener(this.#abortController?.signal.reason ?? this.#reason);
    this.#onCancelled = listener;
    if (this.#abortController !== undefined) this.#hearOf(this.#abortController.signal);
  }

  #hearOf(signal: AbortSignal): void {
    signal.addEventListener('abort', () => this.#onCancelled?.(signal.reason), { once: true });
  }
}

/** The identity of an attempt: a task and how often it was tried before; of a durable one also how often its code was started. */
export function attemptKey(taskRunExternalId: string, retryCount: number, invocationCount = 0): string {
  return `${taskRunExternalId}/${retryCount}/${invocationCount}`;
}

/** The attempts of a worker. One stays until its result was acknowledged: until then it takes its slot. */
export class Attempts {
  readonly #current = new Map<string, Attempt>();
  #ended = new Set<string>();
  /** Half of them are forgotten at once: to forget the oldest one by one takes a set longer and longer. */
  #endedBefore: ReadonlySet<string> = new Set();
  /** Batches by the attempts that run in them. */
  readonly #batches = new Map<string, Attempt>();
  /** Of a batch, those that were not cancelled. */
  readonly #members = new Map<Attempt, Set<string>>();
  #idle: (() => void)[] = [];

  get size(): number {
    return this.#current.size;
  }

  /** What runs, in words. */
  labels(): string[] {
    return [...this.#current.values()].map(({ label }) => label);
  }

  /** A new attempt; `undefined` where it runs here, or has run. */
  begin(key: string, label: string): Attempt | undefined {
    if (this.#current.has(key) || this.#ended.has(key) || this.#endedBefore.has(key)) return undefined;
    const attempt = new Attempt(key, label);
    this.#current.set(key, attempt);
    return attempt;
  }

  /** The attempts that run as one, in a batch. */
  gather(batch: Attempt, keys: readonly string[]): void {
    this.#members.set(batch, new Set(keys));
    for (const key of keys) this.#batches.set(key, batch);
  }

  /** Aborts its signal; a batch's once all of its attempts are cancelled. @returns the attempt where it is here and was not cancelled before */
  cancel(key: string): Attempt | undefined {
    const batch = this.#batches.get(key);
    const members = batch === undefined ? undefined : this.#members.get(batch);
    members?.delete(key);
    const attempt = members === undefined ? this.#current.get(key) : members.size === 0 ? batch : undefined;
    if (attempt === undefined || attempt.isCancelled) return undefined;
    attempt.cancel(new TaskCancelledError());
    return attempt;
  }

  has(key: string): boolean {
    return this.#current.has(key);
  }

  end(key: string): void {
    const attempt = this.#current.get(key);
    if (attempt === undefined) return;
    this.#current.delete(key);
    if (this.#members.delete(attempt))
      for (const [member, batch] of this.#batches) if (batch === attempt) this.#batches.delete(member);
    this.#ended.add(key);
    if (this.#ended.size < longestMemory) return this.#tellIdle();
    this.#endedBefore = this.#ended;
    this.#ended = new Set();
    this.#tellIdle();
  }

  #tellIdle(): void {
    if (this.#current.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Aborts all that is left, for a worker that can wait no longer. @returns their labels */
  abandon(): string[] {
    const labels = this.labels();
    for (const attempt of this.#current.values()) attempt.cancel(new TaskCancelledError('the worker is stopping'));
    return labels;
  }

  /** Resolves when no attempt is left. */
  async idle(): Promise<void> {
    if (this.#current.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }
}
