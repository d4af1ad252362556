/** Registered on the engine so that a durable child of a workflow that nobody knows has a node, and never runs. */
export const nowhere = 'a-workflow-that-no-worker-has';

/** What the double has seen, and what it is told to do wrong. */
export class DoubleState {
  /** Names of workflows that were registered through the double; the rest it does not know. */
  readonly workflows = new Set<string>();
  /** Keys of rate limits that were put through the double. */
  readonly rateLimits = new Set<string>();
  /** Runs that have an id, and nothing else. */
  readonly ghosts = new Set<string>();
  /** Requests by method, such as `/WorkflowService/TriggerWorkflow`. */
  readonly requests = new Map<string, number>();
  readonly #chunks = new Map<string, number>();
  readonly #swallowed = new Map<string, number>();

  /** The engine takes the next `times` requests of the method, and their answers are lost with the connection. */
  swallowAnswers(method: string, times: number): void {
    this.#swallowed.set(method, times);
  }

  /** Whether this request's answer is to be lost. */
  takeSwallow(method: string): boolean {
    const left = this.#swallowed.get(method) ?? 0;
    if (left === 0) return false;
    this.#swallowed.set(method, left - 1);
    return true;
  }

  /** A task has said something in its stream. */
  chunk(taskId: string): void {
    this.#chunks.set(taskId, this.chunksOf(taskId) + 1);
  }

  chunksOf(taskId: string): number {
    return this.#chunks.get(taskId) ?? 0;
  }

  count(method: string): void {
    this.requests.set(method, (this.requests.get(method) ?? 0) + 1);
  }
}
