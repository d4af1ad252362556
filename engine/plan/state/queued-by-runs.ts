import { uuidTimeMs } from '../../model/ids/uuid.ts';
import type { HistoryRow } from '../../model/stored-rows.ts';
import { latestQueuedMs, queuedTransitions } from '../../model/task/queued-by-run.ts';
import type { ChangeSet } from './change-set.ts';

/**
 * Lets the rows of new runs say when they were queued, where the journal has nothing else to say of that. Runs and the journal's
 * rows of their creation come in the same order; one that does not stays in the journal.
 */
export function tellQueuedByRuns({ history, runs }: Pick<ChangeSet, 'history' | 'runs'>): void {
  let at = 0;
  for (const row of history) {
    if (row.transitions[0] !== 'RUN_CREATED') continue;
    while (at < runs.length && runs[at]?.id !== row.runId) at++;
    const run = runs[at];
    if (run?.oneTask !== true || !isQueuedAlone(row)) continue;
    if (uuidTimeMs(run.id) < row.seq / 1000 - latestQueuedMs) continue;
    run.queuedSeq = row.seq;
    row.toldByRun = true;
  }
}

function isQueuedAlone({ transitions, attempt, workerId, message }: HistoryRow): boolean {
  return (
    transitions.length === queuedTransitions.length &&
    transitions.every((transition, place) => transition === queuedTransitions[place]) &&
    attempt === 0 &&
    workerId === null &&
    message === null
  );
}
