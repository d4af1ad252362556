import { AsyncLocalStorage } from 'node:async_hooks';

/** The task that is running, as the runs that it starts see it: they become its children. */
export interface ParentRun {
  readonly workflowRunId: string;
  readonly taskRunExternalId: string;
  readonly workerId: string | undefined;
  readonly signal: AbortSignal;
  /** The next child's index. A retried parent counts from 0 again and so gets the same children. */
  nextChildIndex: number;
}

const storage = new AsyncLocalStorage<ParentRun>();

export function withParentRun<Result>(parent: ParentRun, body: () => Result): Result {
  return storage.run(parent, body);
}

export function currentParentRun(): ParentRun | undefined {
  return storage.getStore();
}
