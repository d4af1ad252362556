import type { Logger, LogLevel } from '../logger.ts';
import type { RunStarter } from '../run/run-starter.ts';

/** Labels of a worker, as it advertises them. */
export type WorkerLabels = Record<string, string | number | undefined>;

/** A line that a task logs. */
export interface LogLine {
  at: Date;
  level: Exclude<LogLevel, 'OFF'>;
  message: string;
  /** JSON. */
  metadata: string;
}

/** What a context asks of the worker that runs its task. */
export interface ContextHost {
  readonly runner: RunStarter;
  readonly logger: Logger;
  workerId(): string | undefined;
  hasWorkflow(name: string): boolean;
  labels(): WorkerLabels;
  upsertLabels(labels: WorkerLabels): Promise<WorkerLabels>;
  refreshTimeout(taskRunExternalId: string, increment: string): Promise<void>;
  releaseSlot(taskRunExternalId: string): Promise<void>;
  /** Resolves at once, unless many lines wait. */
  log(line: LogLine): Promise<void>;
  /** Settles when the engine has the chunk. */
  putStream(taskRunExternalId: string, chunk: { number: number; chunk: Uint8Array }): Promise<void>;
}
