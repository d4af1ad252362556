import type { HistoryRow, ResultRow, RunEndRow, RunInsert, TaskInsert } from '../../engine/model/stored-rows.ts';
import type { StepDemands } from '../../engine/model/task/trigger-run.ts';

/** The rows that a database would hold, kept by applying each committed batch. */
export interface Stored {
  live: Map<string, string>;
  results: Map<string, ResultRow>;
  runEnds: Map<string, RunEndRow>;
  history: HistoryRow[];
  waits: Map<string, string>;
  runs: Map<string, RunInsert & { demands: readonly StepDemands[] | null; tasks: TaskInsert[] }>;
  /** Generations that a replay opened, by run and generation. */
  reopened: Set<string>;
}
