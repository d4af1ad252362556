import type { TriggerWorkflowRequest } from '../../../proto/gen/hatchet/contract/v1/trigger.ts';
import type { IdempotencyCollisionError } from '../../errors.ts';
import type { TaskOutcome } from '../../run/run-outcome.ts';

/** In a runner: what the runs that a task starts go through, in place of a connection to the engine. The worker makes the calls, as the task's parent. */
export interface Relay {
  /** Rejects as startOne does. */
  startOne(request: TriggerWorkflowRequest): Promise<string>;
  /** Rejects as startBulk does. */
  startBulk(requests: readonly TriggerWorkflowRequest[]): Promise<string[]>;
  /** Rejects as startEach does. */
  startEach(requests: readonly TriggerWorkflowRequest[]): Promise<(string | IdempotencyCollisionError)[]>;
  outcomes(runId: string): Promise<TaskOutcome[]>;
  cancelTasks(ids: readonly string[]): Promise<string[]>;
  replayTasks(ids: readonly string[]): Promise<string[]>;
}

let current: Relay | undefined;

/** The relay of the attempt that runs in this runner; `undefined` everywhere else. */
export function relay(): Relay | undefined {
  return current;
}

export function useRelay(next: Relay | undefined): void {
  current = next;
}
