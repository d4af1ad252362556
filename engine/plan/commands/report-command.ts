import type { CelResult } from '../../cel/cel-result.ts';

export interface AttemptRef {
  taskId: string;
  attempt: number;
}

export interface StartedCommand extends AttemptRef {
  kind: 'started';
  tenantId: string;
}

export interface CompletedCommand extends AttemptRef {
  kind: 'completed';
  tenantId: string;
  /** JSON. */
  output: string;
  /** The loader adds what conditions with loops, on this task's output, give. */
  evaluated?: ReadonlyMap<string, CelResult>;
}

export interface FailedCommand extends AttemptRef {
  kind: 'failed';
  tenantId: string;
  /** The raw failed payload, cleaned of what Postgres cannot hold. */
  error: string;
  mayRetry: boolean;
  /** How long the retry is to wait, in place of the task's back-off. */
  retryAfterMs?: number | null;
}

/** What a worker reports of members of a batch. */
export interface BatchReportCommand {
  kind: 'batchReport';
  tenantId: string;
  /** Null where the report names none: then the items' attempts count. */
  batchId: string | null;
  items: readonly BatchReportItem[];
}
export type BatchReportItem = {
  taskId: string;
  /** Null for the one that runs in the batch. */
  attempt: number | null;
} & (
  | { event: 'started' | 'cancelled' }
  | {
      event: 'completed';
      /** JSON. */
      output: string;
      /** As with `completed`. */
      evaluated?: ReadonlyMap<string, CelResult>;
    }
  | { event: 'failed'; error: string; mayRetry: boolean; retryAfterMs?: number | null }
);
