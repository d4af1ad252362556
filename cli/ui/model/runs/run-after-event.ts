import type { EventRow, RunRow } from '../../../monitor/run-reader.ts';
import type { RunStatusName } from '../../../status-name.ts';

/** Further in a run's life. Events and lists cross each other; the further one is the newer. */
export function rank(status: RunStatusName): number {
  return status === 'QUEUED' ? 0 : status === 'RUNNING' || status === 'EVICTED' ? 1 : 2;
}

/** A run of which nothing is known but what the event says. */
export function newRun(event: EventRow): RunRow {
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

/** A run as it is after a transition of it. */
export function runAfter(run: RunRow, event: EventRow): RunRow {
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
  return runAfter({ ...newRun(event), status }, event).status;
}
