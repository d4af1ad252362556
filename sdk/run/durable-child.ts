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

  /** The run whose idempotency key the child would have had. As above. */
  get heldBy(): string | undefined {
    return /^run ([\da-f-]{36}) holds the idempotency key, so no child was started$/.exec(this.message)?.[1];
  }
}
