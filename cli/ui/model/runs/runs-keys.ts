import { fieldOf } from '../forms/edit-text.ts';
import { moved, movement } from '../move.ts';
import { tableRows } from '../layout.ts';
import { openRun } from '../run/open-run.ts';
import { paneKeys } from '../run/run-keys.ts';
import { statusFilters, type Key, type Step, type UiState } from '../ui-state.ts';
import { clearMarks, markAll, toggleMark } from './marks.ts';
import { selectedRunId } from './selected-run.ts';
import { visibleRuns } from './visible-runs.ts';

/** Keys in the table of runs. */
export function inRuns(state: UiState, key: Key): Step {
  const by = movement(key, tableRows(state));
  if (by !== undefined) return moveBy(state, by);
  if (key.input === 'f') {
    const at = statusFilters.indexOf(state.filter);
    return [{ ...state, filter: statusFilters[(at + 1) % statusFilters.length] ?? 'ALL', selected: undefined }, []];
  }
  if (key.input === ' ') return toggleMark(state);
  if (key.input === 'A') return markAll(state);
  const pane = paneKeys[key.input];
  if (pane !== undefined || key.name === 'enter') {
    const runId = selectedRunId(state);
    return [runId === undefined ? state : { ...state, selected: runId, run: openRun(runId, { pane }) }, []];
  }
  if (key.name === 'escape')
    return clearMarks(state) ?? [{ ...state, filter: 'ALL', searches: { ...state.searches, runs: fieldOf('') } }, []];
  return [state, []];
}

/** The cursor, by so many rows; at the end of what is here more is asked for. */
export function moveBy(state: UiState, by: number): Step {
  const rows = visibleRuns(state);
  if (rows.length === 0) return [state, []];
  const at = Math.max(
    0,
    rows.findIndex((row) => row.runId === state.selected),
  );
  const to = moved(at, by, rows.length);
  // The top row follows what comes in; any other stays on its run.
  const next = { ...state, selected: to === 0 ? undefined : rows[to]?.runId };
  return to < rows.length - tableRows(state) ? [next, []] : loadMore(next);
}

/** At the end of what is here. */
function loadMore(state: UiState): Step {
  const { older, found } = state;
  if (found === undefined) return [state, older === null ? [] : [{ type: 'load-older', page: older }]];
  if (found.next === null || found.isLoading) return [state, []];
  return [
    { ...state, found: { ...found, isLoading: true } },
    [{ type: 'find-runs', key: found.key, page: found.next }],
  ];
}
