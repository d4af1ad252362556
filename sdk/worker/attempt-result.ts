import {
  StepActionEventType,
  type AssignedAction,
  type StepActionEvent,
} from '../../proto/gen/hatchet/contract/dispatcher.ts';
import { NonDeterminismError, NonRetryableError } from '../errors.ts';
import { describeFailure, messageOf } from '../failure/describe-failure.ts';
import { safely, textFieldOf } from '../failure/safe-reads.ts';
import { jsonText } from '../json-text.ts';
import { longestPayload } from '../run/trigger-request.ts';
import { SchemaError } from '../schema/validate.ts';

export interface FailedAttempt {
  status: 'failed';
  message: string;
  stack: string | undefined;
  code: string | undefined;
  retry: boolean;
}

/** How an attempt ended. */
export type AttemptResult = { status: 'completed'; json: string } | FailedAttempt;

/** Characters of a failure as JSON. The engine takes 256 Ki; what is cut there loses its form. */
const longestFailure = 200 * 1024;

/** The output as JSON: `null` for nothing. An output that cannot be sent fails the attempt for good. */
export function toResult(taskName: string, output: unknown): AttemptResult {
  let json: string | undefined;
  try {
    json = jsonText(output ?? null);
  } catch (error) {
    return refused(`the output of ${taskName} cannot be written as JSON: ${messageOf(error)}`);
  }
  if (json === undefined)
    return refused(`the output of ${taskName} cannot be written as JSON: it is a ${typeof output}`);
  const bytes = Buffer.byteLength(json);
  if (bytes > longestPayload)
    return refused(
      `the output of ${taskName} has ${bytes} bytes, and the limit is ${longestPayload}: store it elsewhere and return a reference`,
    );
  return { status: 'completed', json };
}

/** What was thrown as a failed attempt. Errors of schemas, NonDeterminismErrors and NonRetryableErrors are not retried. */
export function toFailure(thrown: unknown): FailedAttempt {
  const isFinal =
    safely(
      () =>
        thrown instanceof NonRetryableError || thrown instanceof SchemaError || thrown instanceof NonDeterminismError,
      false,
    ) || textFieldOf(thrown, 'name') === 'NonRetryableError';
  return { status: 'failed', ...describeFailure(thrown), retry: !isFinal };
}

function refused(message: string): FailedAttempt {
  return { status: 'failed', message, stack: undefined, code: undefined, retry: false };
}

/** How a failure travels. */
export function failurePayload({ message, stack, code }: Pick<FailedAttempt, 'message' | 'stack' | 'code'>): string {
  const json = JSON.stringify({ message, stack, code });
  if (json.length <= longestFailure) return json;
  // Only control characters make so much of the bounded texts: the stack has least to say then.
  return JSON.stringify({ message: message.replaceAll(/\p{Cc}/gu, ' '), code });
}

/** What is said of an attempt: that it has started, or how it ended. */
export interface AttemptReport {
  readonly action: AssignedAction;
  readonly workerId: string;
  readonly result: AttemptResult | 'started';
}

/** As the contract's call has it. */
export function stepEvent({ action, workerId, result }: AttemptReport): StepActionEvent {
  const { jobId, jobRunId, taskId, taskRunExternalId, actionId, retryCount } = action;
  const said =
    result === 'started'
      ? { eventType: StepActionEventType.STEP_EVENT_TYPE_STARTED, eventPayload: '""', shouldNotRetry: false }
      : result.status === 'completed'
        ? {
            eventType: StepActionEventType.STEP_EVENT_TYPE_COMPLETED,
            eventPayload: result.json,
            shouldNotRetry: false,
          }
        : {
            eventType: StepActionEventType.STEP_EVENT_TYPE_FAILED,
            eventPayload: failurePayload(result),
            shouldNotRetry: !result.retry,
          };
  return {
    workerId,
    jobId,
    jobRunId,
    taskId,
    taskRunExternalId,
    actionId,
    retryCount,
    eventTimestamp: new Date(),
    ...said,
  };
}
