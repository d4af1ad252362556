import type { RunRow } from '../../../monitor/run-reader.ts';
import { clickedRow, windowStart } from '../frame.ts';
import { tableRows } from '../layout.ts';
import type { UiState } from '../ui-state.ts';
import { visibleRuns } from './visible-runs.ts';

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
