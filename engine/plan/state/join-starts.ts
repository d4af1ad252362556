import type { HistoryRow } from '../../model/stored-rows.ts';

/**
 * Lets the start of an attempt share a row of the journal with what the transaction says of the attempt next, mostly its end.
 * The start comes later by that, still within its transaction: nothing is caused by a start, so no effect comes before its cause.
 * What ended cannot come earlier instead: another task's row in between may be why it did.
 */
export function joinStarts(history: HistoryRow[]): void {
  const starts = new Map<string, number>();
  const joined = new Set<number>();
  for (const [index, row] of history.entries()) {
    if (isStart(row)) {
      starts.set(row.taskId, index);
      continue;
    }
    const at = starts.get(row.taskId);
    if (at === undefined) continue;
    starts.delete(row.taskId);
    const start = history[at];
    if (start === undefined || !mayShare(start, row)) continue;
    row.transitions.unshift(...start.transitions);
    joined.add(at);
  }
  if (joined.size === 0) return;
  let kept = 0;
  for (const [index, row] of history.entries()) if (!joined.has(index)) history[kept++] = row;
  history.length = kept;
}

function isStart({ transitions, message }: HistoryRow): boolean {
  return (
    transitions.length === 2 && transitions[0] === 'SENT_TO_WORKER' && transitions[1] === 'STARTED' && message === null
  );
}

/** A row's message belongs to its first transition. */
function mayShare(start: HistoryRow, row: HistoryRow): boolean {
  return row.attempt === start.attempt && row.workerId === start.workerId && row.message === null;
}
