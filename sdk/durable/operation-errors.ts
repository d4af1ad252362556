import { HatchetError } from '../errors.ts';
import type { Answer, DurableRequest } from './unanswered-requests.ts';

/** The wire has no code for it but this text. */
const unknownWorkflow = /^there is no workflow /;

/** What the engine says of an operation that it will not carry out. */
export function refusedOperation(reason: string): HatchetError {
  return new HatchetError(
    unknownWorkflow.test(reason) ? 'UNKNOWN_WORKFLOW' : 'INVALID_ARGUMENT',
    `the engine refused an operation of the durable task: ${reason}`,
  );
}

/** Whether it has taken it up nobody knows. */
export function unansweredOperation(
  taskRunExternalId: string,
  oldest: DurableRequest['$case'] | undefined,
  seconds: number,
): HatchetError {
  return new HatchetError(
    'NO_ANSWER',
    `the engine has not answered the request ${oldest ?? ''} of the durable task ${taskRunExternalId} for ${seconds} s`,
    {
      remedy:
        "Look into the engine's log for why. The task goes on from its log where it has retries left, or once it is replayed",
    },
  );
}

export function unexpectedAnswer({ $case }: Answer): HatchetError {
  return new HatchetError('ENGINE_ERROR', `the engine answered an operation of the durable task with ${$case}`, {
    remedy: 'Check that the versions of engine and SDK fit',
  });
}
