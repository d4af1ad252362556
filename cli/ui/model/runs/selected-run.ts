import type { UiState } from '../ui-state.ts';
import { visibleRuns, type ShownRuns } from './visible-runs.ts';

/** The first one's, while none is selected that is shown. */
export function selectedRunId(state: ShownRuns & Pick<UiState, 'selected'>): string | undefined {
  const rows = visibleRuns(state);
  return rows.some((row) => row.runId === state.selected) ? state.selected : rows[0]?.runId;
}
