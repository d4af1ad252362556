import type { ConditionState } from './judge-start.ts';

/** The conditions of one task, from its trigger to its end: what met them is given to the task, retries included. */
export interface TaskWait {
  /** When sleeps and events began to count; 0 while a parent is still open. */
  sinceUs: number;
  /** The number of the shard's sequence at that time. */
  sinceSeq: number;
  /** By the step's conditions. */
  readonly states: ConditionState[];
  /** JSON of what met each condition. */
  readonly data: (string | null)[];
  /** Whose failure on an event is in the timeline already. In memory alone: after a restart it may be said once more. */
  readonly complained: boolean[];
}

/** As stored in `wait.resolved`: the conditions that are no longer open. */
export interface StoredResolution {
  index: number;
  met: boolean;
  data: string | null;
}

export function storedResolutions(wait: TaskWait): StoredResolution[] {
  return wait.states.flatMap((state, index) =>
    state === 'open' ? [] : [{ index, met: state === 'met', data: wait.data[index] ?? null }],
  );
}
