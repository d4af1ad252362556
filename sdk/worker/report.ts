import { StepActionEventType, type AssignedAction, type StepActionEvent } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import { NonDeterminismError, NonRetryableError, asError } from '../errors.ts';
import { longestPayload } from '../run/trigger-request.ts';
import { SchemaError } from '../schema/validate.ts';

/** How an attempt ended. */
export type AttemptResult = { status: 'completed'; json: string } | { status: 'failed'; message: string; stack: string | undefined; retry: boolean };

/** Longer texts of errors say nothing more, and would have to be stored with every attempt. */
const longestErrorText = 64 * 1024;

/** The output as JSON: `null` for nothing. An output that cannot be sent fails the attempt for good. */
export function toResult(taskName: string, output: unknown): AttemptResult {
  let json: string | undefined;
  try {
    json = JSON.stringify(output ?? null);
  } catch (error) {
    return refused(`the output of ${taskName} cannot be written as JSON: ${asError(error).message}`);
  }
  if (json === undefined) return refused(`the output of ${taskName} cannot be written as JSON: it is a ${typeof output}`);
  const bytes = Buffer.byteLength(json);
  if (bytes > longestPayload) return refused(`the output of ${taskName} has ${bytes} bytes, and the limit is ${longestPayload}: store it elsewhere and return a reference`);
  return { status: 'completed', json };
}

/** What was thrown as a failed attempt. Errors of schemas, NonDeterminismErrors and NonRetryableErrors are not retried. */
export function toFailure(thrown: unknown): AttemptResult {
  const error = asError(thrown);
  const retry = !(error instanceof NonRetryableError || error instanceof SchemaError || error instanceof NonDeterminismError || error.name === 'NonRetryableError');
  return { status: 'failed', message: error.message.slice(0, longestErrorText), stack: error.stack?.slice(0, longestErrorText), retry };
}

function refused(message: string): AttemptResult {
  return { status: 'failed', message, stack: undefined, retry: false };
}

/** The first thing that is said of an attempt. */
export function startedEvent(action: AssignedAction, workerId: string): StepActionEvent {
  return { ...identity(action, workerId), eventType: StepActionEventType.STEP_EVENT_TYPE_STARTED, eventPayload: '""', shouldNotRetry: false };
}

/** The last thing that is said of an attempt. */
export function resultEvent(action: AssignedAction, workerId: string, result: AttemptResult): StepActionEvent {
  if (result.status === 'completed') {
    return { ...identity(action, workerId), eventType: StepActionEventType.STEP_EVENT_TYPE_COMPLETED, eventPayload: result.json, shouldNotRetry: false };
  }
  const eventPayload = JSON.stringify({ message: result.message, stack: result.stack });
  return { ...identity(action, workerId), eventType: StepActionEventType.STEP_EVENT_TYPE_FAILED, eventPayload, shouldNotRetry: !result.retry };
}

function identity(action: AssignedAction, workerId: string): Omit<StepActionEvent, 'eventType' | 'eventPayload' | 'shouldNotRetry'> {
  const { jobId, jobRunId, taskId, taskRunExternalId, actionId, retryCount } = action;
  return { workerId, jobId, jobRunId, taskId, taskRunExternalId, actionId, retryCount, eventTimestamp: new Date() };
}
