import { LiveFlag } from '../../model/task/live-state.ts';
import { ownOutput } from '../../model/task/skipped-output.ts';
import { RunStatus } from '../../model/task/status.ts';
import type { Evaluated } from '../conditions/evaluate-condition.ts';
import { endTask } from './end-task.ts';
import { hasFlag, journal, setFlag, type Plan } from '../state/plan.ts';
import { beginTimeout, isLate } from './execution-timeout.ts';
import { hear } from '../queue/blocked-worker.ts';
import type { TaskRow } from '../state/table/rows.ts';
import { mayRetry, retryTask } from './retry-task.ts';
import { goOnIfBack } from './worker-standstill.ts';

/** SENT_TO_WORKER is written with STARTED: only the worker's answer proves that the message arrived. */
export function startAttempt(plan: Plan, row: TaskRow): void {
  hear(plan, plan.state.workerOf(row));
  if (hasFlag(plan, row, LiveFlag.Started)) return;
  setFlag(plan, row, LiveFlag.Started);
  goOnIfBack(plan, row);
  if (isLate(plan, row) || hasFlag(plan, row, LiveFlag.Prolonged)) beginTimeout(plan, row);
  journal(plan, row, 'SENT_TO_WORKER');
  journal(plan, row, 'STARTED');
}

/** @param output JSON @param evaluated what conditions on it give that are too dear for the plan */
export function completeAttempt(plan: Plan, row: TaskRow, output: string, evaluated: Evaluated | undefined): void {
  startAttempt(plan, row); // STARTED is fire-and-forget: a completion can overtake it
  journal(plan, row, 'FINISHED');
  endTask(plan, row, { status: RunStatus.Completed, output: ownOutput(output), error: null, evaluated });
}

export interface AttemptFailure {
  /** The raw failed payload, cleaned of what Postgres cannot hold. */
  error: string;
  mayRetry: boolean;
  /** How long the retry is to wait, in place of the task's back-off. */
  retryAfterMs?: number | null;
}

export function failAttempt(plan: Plan, row: TaskRow, failure: AttemptFailure): void {
  startAttempt(plan, row);
  journal(plan, row, 'FAILED', shortMessage(failure.error));
  if (failure.mayRetry && mayRetry(plan, row)) retryTask(plan, row, failure.retryAfterMs ?? null);
  else endTask(plan, row, { status: RunStatus.Failed, output: null, error: failure.error });
}

/** The first line of a failure for the timeline; the whole payload is in the result. */
export function shortMessage(error: string): string {
  let message = error;
  try {
    const parsed: unknown = JSON.parse(error);
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed && typeof parsed.message === 'string')
      message = parsed.message;
  } catch {
    // Plain text is a message as it is.
  }
  return message.slice(0, 1000);
}
