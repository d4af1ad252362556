import { RunStatus } from './status.ts';

/** What changes a task or its run for all to see, and what the journal holds. */
export type Transition =
  | 'CREATED'
  | 'QUEUED'
  | 'ASSIGNED'
  | 'SENT_TO_WORKER'
  | 'STARTED'
  | 'ACKNOWLEDGED'
  | 'FINISHED'
  | 'FAILED'
  | 'RETRYING'
  | 'CANCELLED'
  | 'TIMED_OUT'
  | 'SCHEDULING_TIMED_OUT'
  | 'REASSIGNED'
  | 'REQUEUED_NO_WORKER'
  | 'SLOT_RELEASED'
  | 'TIMEOUT_REFRESHED'
  | 'SKIPPED'
  | 'COULD_NOT_SEND_TO_WORKER'
  | 'REQUEUED_RATE_LIMIT'
  | 'RETRIED_BY_USER'
  | 'WAITING_FOR_BATCH'
  | 'BATCH_FLUSHED'
  | 'DURABLE_EVICTED'
  | 'DURABLE_RESTORING'
  | 'RUN_CREATED'
  | 'RUN_COMPLETED'
  | 'RUN_FAILED'
  | 'RUN_CANCELLED';

export function isRunTransition(transition: Transition): boolean {
  switch (transition) {
    case 'RUN_CREATED':
    case 'RUN_COMPLETED':
    case 'RUN_FAILED':
    case 'RUN_CANCELLED':
      return true;
    default:
      return false;
  }
}

/** As the REST contract's V1TaskEventType has it, which knows one end of a run. */
export function eventTypeOf(transition: Transition): string {
  switch (transition) {
    case 'RUN_COMPLETED':
    case 'RUN_FAILED':
    case 'RUN_CANCELLED':
      return 'RUN_FINISHED';
    default:
      return transition;
  }
}

/** The status that a transition leaves its task (or, for one of a run, its run) in; `undefined` where it changes none. */
export function statusAfter(transition: Transition): RunStatus | undefined {
  switch (transition) {
    case 'RUN_CREATED':
    case 'CREATED':
    case 'QUEUED':
    case 'RETRYING':
    case 'REASSIGNED':
    case 'REQUEUED_NO_WORKER':
    case 'COULD_NOT_SEND_TO_WORKER':
    case 'REQUEUED_RATE_LIMIT':
    case 'RETRIED_BY_USER':
    case 'WAITING_FOR_BATCH':
    case 'BATCH_FLUSHED':
    case 'DURABLE_RESTORING':
      return RunStatus.Queued;
    case 'DURABLE_EVICTED':
      return RunStatus.Evicted;
    case 'ASSIGNED':
    case 'SENT_TO_WORKER':
    case 'STARTED':
    case 'ACKNOWLEDGED':
    case 'SLOT_RELEASED':
    case 'TIMEOUT_REFRESHED':
      return RunStatus.Running;
    case 'FINISHED':
    case 'SKIPPED':
    case 'RUN_COMPLETED':
      return RunStatus.Completed;
    case 'FAILED':
    case 'TIMED_OUT':
    case 'RUN_FAILED':
      return RunStatus.Failed;
    case 'CANCELLED':
    case 'SCHEDULING_TIMED_OUT':
    case 'RUN_CANCELLED':
      return RunStatus.Cancelled;
  }
}

/** Replays a task's journal. FAILED or TIMED_OUT followed by RETRYING is not the end. */
export function replayJournal(transitions: Iterable<Transition>): RunStatus | undefined {
  let status: RunStatus | undefined;
  for (const transition of transitions) if (!isRunTransition(transition)) status = statusAfter(transition) ?? status;
  return status;
}
