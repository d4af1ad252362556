import { fieldOf } from '../forms/edit-text.ts';
import { tableRows } from '../layout.ts';
import { moved, movement } from '../move.ts';
import { logSources, type Key, type SourceLine, type Step, type UiState } from '../ui-state.ts';

/** Lines of the logs that the source and the search let through. */
export function visibleLog(state: Pick<UiState, 'log' | 'logSource' | 'searches'>): readonly SourceLine[] {
  const wanted = state.searches.logs.text.toLowerCase();
  return state.log.filter(
    (line) =>
      (state.logSource === 'all' || line.source === state.logSource) &&
      (wanted === '' || line.text.toLowerCase().includes(wanted)),
  );
}

/** Lines of the logs that fit. */
export function logRows(state: Parameters<typeof tableRows>[0]): number {
  return tableRows(state);
}

/** First line shown. */
export function logStart(state: UiState, total: number): number {
  const last = Math.max(0, total - logRows(state));
  return Math.min(state.logScroll ?? last, last);
}

export function inLogs(state: UiState, key: Key): Step {
  if (key.input === 'f') {
    const at = logSources.indexOf(state.logSource);
    return [{ ...state, logSource: logSources[(at + 1) % logSources.length] ?? 'all', logScroll: null }, []];
  }
  if (key.name === 'escape')
    return [{ ...state, logSource: 'all', logScroll: null, searches: { ...state.searches, logs: fieldOf('') } }, []];
  const by = movement(key, logRows(state));
  return [by === undefined ? state : scrollLog(state, by), []];
}

export function scrollLog(state: UiState, by: number): UiState {
  const total = visibleLog(state).length;
  const last = Math.max(0, total - logRows(state));
  const to = moved(logStart(state, total), by, last + 1);
  return { ...state, logScroll: to >= last ? null : to };
}
