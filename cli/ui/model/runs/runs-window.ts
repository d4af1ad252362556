import type { RunRow } from '../../../monitor/run-reader.ts';
import { clickedRow, windowStart } from '../frame.ts';
import { tableRows } from '../layout.ts';
import { askedKey, fittingRuns } from './filter-runs.ts';
import type { UiState } from '../ui-state.ts';

type Shown = Pick<UiState, 'runs' | 'order' | 'filter' | 'searches' | 'found'>;

/** A key and its frame ask several times for the same 10,000. */
let last: { of: Shown; rows: readonly RunRow[] } | undefined;

/** The runs that the filter and the search let through, newest first. */
export function visibleRuns(state: Shown): readonly RunRow[] {
  const { runs, order, filter, searches, found } = state;
  if (
    last?.of.runs === runs &&
    last.of.order === order &&
    last.of.filter === filter &&
    last.of.found === found &&
    last.of.searches.runs.text === searches.runs.text
  )
    return last.rows;
  last = {
    of: { runs, order, filter, searches, found },
    rows: askedKey(state) === undefined ? order.flatMap((id) => runs.get(id) ?? []) : fittingRuns(state),
  };
  return last.rows;
}

/** The first one's, while none is selected that is shown. */
export function selectedRunId(state: Shown & Pick<UiState, 'selected'>): string | undefined {
  const rows = visibleRuns(state);
  return rows.some((row) => row.runId === state.selected) ? state.selected : rows[0]?.runId;
}

/** The runs that are drawn: rows of all from `start` on. */
export function runsWindow(state: UiState): {
  rows: readonly RunRow[];
  start: number;
  selected: number;
  height: number;
} {
  const rows = visibleRuns(state);
  const height = tableRows(state);
  const selected = Math.max(
    0,
    rows.findIndex((row) => row.runId === state.selected),
  );
  return { rows, height, selected, start: windowStart(selected, rows.length, height, clickedRow(state, 'runs')) };
}
