import type { EventRow } from '../run-reader.ts';
import type { RunStatusName } from '../../status-name.ts';
import type { TaskEventShape } from './rest-shapes.ts';
import { failureOf, nameOf, timeOf } from './stored-values.ts';

/** The status that a transition leaves its task in; the others leave it running. */
const statuses: Readonly<Record<string, RunStatusName>> = {
  CREATED: 'QUEUED',
  QUEUED: 'QUEUED',
  RETRYING: 'QUEUED',
  RETRIED_BY_USER: 'QUEUED',
  REASSIGNED: 'QUEUED',
  REQUEUED_NO_WORKER: 'QUEUED',
  REQUEUED_RATE_LIMIT: 'QUEUED',
  RATE_LIMIT_ERROR: 'QUEUED',
  COULD_NOT_SEND_TO_WORKER: 'QUEUED',
  WAITING_FOR_BATCH: 'QUEUED',
  BATCH_FLUSHED: 'QUEUED',
  DURABLE_RESTORING: 'QUEUED',
  DURABLE_EVICTED: 'EVICTED',
  FINISHED: 'COMPLETED',
  SKIPPED: 'COMPLETED',
  FAILED: 'FAILED',
  TIMED_OUT: 'FAILED',
  CANCELLED: 'CANCELLED',
  SCHEDULING_TIMED_OUT: 'CANCELLED',
};

export interface RunNames {
  runId: string;
  workflow: string;
  /** Of its tasks, by their ids. */
  tasks: ReadonlyMap<string, string>;
}

/** Transitions in the order of their times, which is not the order in which they are stored. */
export function eventRows(events: readonly TaskEventShape[], names: RunNames): EventRow[] {
  return [...events]
    .sort((a, b) => Date.parse(a.timestamp) - Date.parse(b.timestamp) || a.id - b.id)
    .map((event) => eventRow(event, names));
}

function eventRow(event: TaskEventShape, { runId, workflow, tasks }: RunNames): EventRow {
  return {
    cursor: String(event.id),
    time: timeOf(event.timestamp),
    runId,
    workflow,
    taskId: event.taskId,
    task: tasks.get(event.taskId) ?? nameOf(event.taskDisplayName ?? ''),
    attempt: event.retryCount ?? 0,
    type: event.eventType,
    status: statuses[event.eventType] ?? 'RUNNING',
    message: failureOf(event.errorMessage).message ?? event.message ?? '',
    workerId: event.workerId ?? null,
  };
}
