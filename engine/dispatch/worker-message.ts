import type { Assignment } from '../model/task/effect.ts';

/** One message to a worker: an attempt, or the members of a batch. */
export interface Sending {
  /** Of one worker. */
  readonly assignments: readonly Assignment[];
  readonly batch: BatchFacts | null;
}

export interface BatchFacts {
  readonly id: string;
  readonly key: string;
  /** Why it went. */
  readonly reason: string;
  readonly atUs: number;
}
