import { fitsQuery } from '../../../monitor/run-query.ts';
import type { RunRow } from '../../../monitor/run-reader.ts';
import type { UiState } from '../ui-state.ts';
import { askedKey, askedQuery } from './asked-filter.ts';

/** What decides which runs are shown. */
export type ShownRuns = Pick<UiState, 'runs' | 'order' | 'filter' | 'searches' | 'found'>;

/** A key and its frame ask several times for the same 10,000. */
let last: { of: ShownRuns; rows: readonly RunRow[] } | undefined;

/** The runs that the filter and the search let through, newest first. */
export function visibleRuns(state: ShownRuns): readonly RunRow[] {
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

/** Of what is found and what is in memory, that which fits, newest first. */
function fittingRuns(state: ShownRuns): readonly RunRow[] {
  const query = askedQuery(state);
  const ids = new Map<string, RunRow>();
  for (const row of state.found?.rows ?? []) {
    const known = state.runs.get(row.runId);
    // Of a run that came with an event no metadata is known.
    ids.set(row.runId, known === undefined ? row : { ...known, metadata: known.metadata ?? row.metadata });
  }
  for (const id of state.order) {
    const run = state.runs.get(id);
    if (run !== undefined && !ids.has(id)) ids.set(id, run);
  }
  return [...ids.values()]
    .filter((run) => (state.filter === 'ALL' || run.status === state.filter) && fitsQuery(query, run))
    .sort((a, b) => (a.runId < b.runId ? 1 : a.runId > b.runId ? -1 : 0));
}
