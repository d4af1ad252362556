import type { EventRow, RunRow } from '../../../monitor/run-reader.ts';
import type { UiState } from '../ui-state.ts';
import { newRun, rank, runAfter } from './run-after-event.ts';

/** More than a person scrolls through; the oldest go first. */
export const keptRuns = 10_000;

type Runs = Pick<UiState, 'runs' | 'order'>;

/** The table after a list was read: what events already brought further stays. */
export function mergeRuns(state: Runs, rows: readonly RunRow[]): Runs {
  const runs = new Map(state.runs);
  for (const row of rows) {
    const known = runs.get(row.runId);
    runs.set(
      row.runId,
      known !== undefined && rank(known.status) > rank(row.status)
        ? {
            ...row,
            status: known.status,
            startedAt: known.startedAt ?? row.startedAt,
            finishedAt: known.finishedAt ?? row.finishedAt,
          }
        : row,
    );
  }
  return ordered(
    runs,
    state.order,
    rows.map((row) => row.runId),
  );
}

/** The table after transitions. */
export function applyEvents(state: Runs, events: readonly EventRow[]): Runs {
  if (events.length === 0) return state;
  const runs = new Map(state.runs);
  const fresh: string[] = [];
  for (const event of events) {
    const known = runs.get(event.runId);
    if (known === undefined) fresh.push(event.runId);
    runs.set(event.runId, runAfter(known ?? newRun(event), event));
  }
  return ordered(runs, state.order, fresh);
}

/** By creation, as text: ids of our engine are UUIDv7, which begin with their time; those of others get it put before them. */
function creationOf(runs: ReadonlyMap<string, RunRow>, id: string): string {
  if (id.charAt(14) === '7') return id;
  const ms = Date.parse(runs.get(id)?.createdAt ?? '');
  const time = (Number.isNaN(ms) ? 0 : ms).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-${id}`;
}

function ordered(runs: Map<string, RunRow>, before: readonly string[], added: readonly string[]): Runs {
  const known = new Set(before);
  const missing = [...new Set(added)].filter((id) => !known.has(id));
  if (missing.length === 0) return { runs, order: before };
  const order = [...missing, ...before]
    .map((id) => [id, creationOf(runs, id)] as const)
    .sort(([, a], [, b]) => (a < b ? 1 : a > b ? -1 : 0))
    .map(([id]) => id);
  for (const id of order.slice(keptRuns)) runs.delete(id);
  return { runs, order: order.slice(0, keptRuns) };
}
