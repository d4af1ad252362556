import type { Step, UiState } from '../ui-state.ts';
import { moveBy } from './runs-keys.ts';
import { runsWindow } from './runs-window.ts';
import { selectedRunId } from './selected-run.ts';

/** A list that fits is not scrolled: the cursor goes a row at a time. */
export function wheelRuns(state: UiState, by: number): Step {
  const { rows, height } = runsWindow(state);
  return moveBy(state, rows.length <= height ? Math.sign(by) : by);
}

/** @returns 'open' for the run that is chosen already */
export function clickRuns(state: UiState, line: number): UiState | 'open' {
  const { rows, start, height } = runsWindow(state);
  // The first line is the heading.
  const row = line - 1;
  const run = row < 0 || row >= height ? undefined : rows[start + row];
  if (run === undefined) return state;
  return run.runId === selectedRunId(state)
    ? 'open'
    : { ...state, selected: run.runId, clicked: { list: 'runs', row } };
}
