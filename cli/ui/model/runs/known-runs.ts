import type { EventRow, RunRow } from '../../../monitor/run-reader.ts';
import { rank, type UiState } from '../ui-state.ts';

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
    runs.set(event.runId, applyEvent(known ?? newRun(event), event));
  }
  return ordered(runs, state.order, fresh);
}

function newRun(event: EventRow): RunRow {
  return {
    runId: event.runId,
    workflow: event.workflow,
    status: 'QUEUED',
    createdAt: event.time,
    startedAt: null,
    finishedAt: null,
    priority: 1,
    taskCount: 0,
    parentRunId: null,
    errorMessage: null,
    metadata: null,
  };
}

function applyEvent(run: RunRow, event: EventRow): RunRow {
  if (event.task === '') {
    // A run's own events carry its status; after its end only a replay of its tasks opens it again.
    if (event.type === 'RUN_FINISHED') return { ...run, status: event.status, finishedAt: event.time };
    return event.type === 'RUN_CREATED' && rank(run.status) > 0 ? run : { ...run, status: event.status };
  }
  if (event.type === 'RETRIED_BY_USER')
    return { ...run, status: 'QUEUED', startedAt: null, finishedAt: null, errorMessage: null };
  // A run of one task is where its task is; one of several goes on.
  if (event.type === 'DURABLE_EVICTED' && event.taskId === event.runId && rank(run.status) < 2)
    return { ...run, status: 'EVICTED' };
  if (event.type === 'DURABLE_RESTORING' && run.status === 'EVICTED') return { ...run, status: 'QUEUED' };
  if (event.type === 'STARTED' && rank(run.status) < 2)
    return { ...run, status: 'RUNNING', startedAt: run.startedAt ?? event.time };
  if (event.type === 'ASSIGNED' && run.status === 'QUEUED') return { ...run, status: 'RUNNING' };
  if (event.type === 'FAILED' && event.message !== '')
    return { ...run, errorMessage: run.errorMessage ?? event.message };
  return run;
}

/** The status of a run that is not in the table. */
export function statusAfter({ status }: Pick<RunRow, 'status'>, event: EventRow): RunRow['status'] {
  return applyEvent({ ...newRun(event), status }, event).status;
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
