import type { BatchActionEvent } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import { callUnary, repeatForMs, type CallSettings } from '../connection/repeat-calls.ts';
import type { Connection } from '../connection/connection.ts';
import { NotOfferedError } from '../../link/engine-link.ts';
import type { LinkAnswer } from '../../link/link-command.ts';
import { linkOrCall } from '../connection/link-or-call.ts';
import { failurePayload, stepEvent, type AttemptReport } from './attempt-result.ts';

/** How long one try may take. */
const tryMs = 15_000;

type Whose = Pick<AttemptReport, 'action' | 'workerId'>;

/** Hears what became of a report: undefined once the engine has it. */
type Answered = (failure: { readonly error: unknown } | undefined) => void;

/** Says how an attempt ended: with many others by the link, or by a call of its own where the engine has no sessions. */
export function sendReport(connection: Connection, report: AttemptReport, answered: Answered): void {
  const { result } = report;
  const { link } = connection;
  const byCall = (): void =>
    void call(connection, report).then(
      () => answered(undefined),
      (error: unknown) => answered({ error }),
    );
  if (result === 'started' || link.isOffered === false) return byCall();
  const told = (answer: LinkAnswer): void => {
    if (!('error' in answer)) answered(undefined);
    else if (answer.error instanceof NotOfferedError) byCall();
    else answered(answer);
  };
  const ref = refOf(report);
  if (result.status === 'completed')
    link.completed({ ...ref, output: result.json, shouldNotRetry: false }, tryMs, told);
  else link.failed({ ...ref, error: failurePayload(result), shouldNotRetry: !result.retry }, tryMs, told);
}

/** Says that an attempt has started. Nobody waits for it. */
export function sayStarted(
  connection: Connection,
  whose: Whose,
  { attempt, failed }: { attempt: { readonly abortController: AbortController }; failed: (error: unknown) => void },
): void {
  const { link } = connection;
  const byCall = (): void => {
    const settings = { repeatForMs, signal: attempt.abortController.signal };
    call(connection, { ...whose, result: 'started' }, settings).catch(failed);
  };
  if (link.isOffered === false) return byCall();
  link.started(refOf(whose), repeatForMs, (answer) => {
    if (!('error' in answer)) return;
    if (answer.error instanceof NotOfferedError) byCall();
    else failed(answer.error);
  });
}

/** Says what became of members of a batch, or that it has started; as `sendReport`. @throws ServiceError */
export function sendBatchReport(
  connection: Connection,
  report: BatchActionEvent,
  settings: CallSettings = {},
): Promise<void> {
  const { dispatcher } = connection;
  return linkOrCall(
    connection,
    (link) => link.reportedBatch(report, settings.repeatForMs ?? tryMs),
    async () => void (await callUnary(connection, dispatcher.sendBatchActionEvent.bind(dispatcher), report, settings)),
  );
}

async function call(connection: Connection, report: AttemptReport, settings: CallSettings = {}): Promise<void> {
  const { dispatcher } = connection;
  await callUnary(connection, dispatcher.sendStepActionEvent.bind(dispatcher), stepEvent(report), settings);
}

function refOf({ action }: Whose): { taskId: string; attempt: number; invocation: number | undefined } {
  const { taskRunExternalId: taskId, retryCount: attempt, durableTaskInvocationCount: invocation } = action;
  return { taskId, attempt, invocation };
}
