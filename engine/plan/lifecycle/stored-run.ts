import type { CelResult } from '../../cel/cel-result.ts';
import type { BranchPoint } from '../../model/durable/durable.ts';
import type { RunStatus } from '../../model/task/status.ts';
import type { StepDemands } from '../../model/task/trigger-run.ts';

/** A run as it is stored, for whoever runs it again. */
export interface StoredRun {
  runId: string;
  versionId: string;
  priority: number;
  /** By step. */
  tasks: readonly StoredTask[];
  demands: readonly StepDemands[] | null;
}
/** A task with its newest result; a status of null for one that has none. */
export interface StoredTask {
  id: string;
  step: number;
  generation: number;
  attempt: number;
  /** Starts of a durable task so far. */
  invocation: number;
  /** Of a durable task's log. */
  branches: readonly BranchPoint[];
  status: RunStatus | null;
  skipped: boolean;
  /** Only of a task that does not run again, and where a condition of one that does looks at it. */
  output: string | null;
  outputBytes: number;
  evaluated: ReadonlyMap<string, CelResult>;
}
