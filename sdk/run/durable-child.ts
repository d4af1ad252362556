import type { TriggerWorkflowRequest } from '../../proto/gen/hatchet/contract/v1/trigger.ts';

/** A child that a durable task has spawned through its log. */
export interface DurableChild {
  readonly runId: string;
  /** JSON, as the log has it. Rejects with EntryFailure. */
  readonly output: Promise<string>;
}

/** Spawns children through the log of a durable task. */
export interface DurableSpawner {
  spawn(requests: TriggerWorkflowRequest[]): Promise<DurableChild[]>;
}

/** What the log holds for a child that did not complete. */
export class EntryFailure extends Error {
  /** The wire has no status for it but this text. */
  get cancelled(): boolean {
    return this.message === 'task was cancelled';
  }
}
