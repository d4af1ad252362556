import { askedKey, askedQuery } from './asked-filter.ts';
import type { Step, UiAction, UiState } from '../ui-state.ts';

const refreshMs = 2_000;

/** After a key: what is asked for now, the engine is asked for. */
export function askEngine(before: UiState, [state, effects]: Step): Step {
  const key = askedKey(state);
  if (key === askedKey(before)) return [state, effects];
  if (key === undefined) return [{ ...state, found: undefined }, effects];
  return [
    {
      ...state,
      found: { key, rows: state.found?.rows ?? [], next: null, isLoading: true, isStale: false, atMs: state.nowMs },
    },
    [...effects, { type: 'find-runs', key, page: undefined }],
  ];
}

/** New runs may fit a search for metadata, which events do not tell. */
export function markStale(state: UiState, created: boolean): UiState {
  const { found } = state;
  return found === undefined || found.isStale || !created || Object.keys(askedQuery(state).metadata).length === 0
    ? state
    : { ...state, found: { ...found, isStale: true } };
}

export function refresh(state: UiState): Step {
  const { found, nowMs } = state;
  if (found === undefined || !found.isStale || found.isLoading || nowMs - found.atMs < refreshMs) return [state, []];
  return [
    { ...state, found: { ...found, isLoading: true, isStale: false, atMs: nowMs } },
    [{ type: 'find-runs', key: found.key, page: undefined }],
  ];
}

export function withFound(
  state: UiState,
  { key, page, rows, next }: Extract<UiAction, { type: 'runs-found' }>,
): UiState {
  const { found } = state;
  if (found?.key !== key) return state;
  // A look at the first page again leaves those that were loaded after it.
  const isAgain = page === undefined && found.next !== null && found.rows.length > rows.length;
  const kept = page === undefined && !isAgain ? [] : found.rows;
  const byId = new Map([...kept, ...rows].map((run) => [run.runId, run]));
  return {
    ...state,
    found: { ...found, rows: [...byId.values()], next: isAgain ? found.next : next, isLoading: false },
  };
}
