import type { BatchActionEvent } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import { callUnary, type CallSettings } from '../connection/repeat-calls.ts';
import type { Connection } from '../connection/connection.ts';
import { NotOfferedError, type EngineLink } from '../connection/engine-link.ts';
import { linkOrCall } from '../connection/link-or-call.ts';
import { failurePayload, stepEvent, type AttemptReport, type AttemptResult } from './attempt-result.ts';

/** How long one try may take. */
const tryMs = 15_000;

type Whose = Pick<AttemptReport, 'action' | 'workerId'>;

/** Says how an attempt ended: with many others by the link, or by a call of its own where the engine has no sessions. @throws ServiceError */
export function sendReport(connection: Connection, report: AttemptReport): Promise<void> {
  const { result } = report;
  const byCall = (): Promise<void> => call(connection, report);
  return result === 'started' ? byCall() : linkOrCall(connection, (link) => sendByLink(link, report, result), byCall);
}

/** Says that an attempt has started. Nobody waits for it: no promise is made where the link carries it. */
export function sayStarted(
  connection: Connection,
  whose: Whose,
  settings: CallSettings,
  failed: (error: unknown) => void,
): void {
  const { link } = connection;
  const byCall = (): void => void call(connection, { ...whose, result: 'started' }, settings).catch(failed);
  if (link.isOffered === false) return byCall();
  link.started(refOf(whose), settings.repeatForMs ?? tryMs, (error) =>
    error instanceof NotOfferedError ? byCall() : failed(error),
  );
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

function sendByLink(link: EngineLink, whose: Whose, result: AttemptResult): Promise<void> {
  const ref = refOf(whose);
  if (result.status === 'completed') return link.completed({ ...ref, output: result.json }, tryMs);
  return link.failed({ ...ref, error: failurePayload(result), shouldNotRetry: !result.retry }, tryMs);
}

async function call(connection: Connection, report: AttemptReport, settings: CallSettings = {}): Promise<void> {
  const { dispatcher } = connection;
  await callUnary(connection, dispatcher.sendStepActionEvent.bind(dispatcher), stepEvent(report), settings);
}

function refOf({ action }: Whose): { taskId: string; attempt: number; invocation: number | undefined } {
  const { taskRunExternalId: taskId, retryCount: attempt, durableTaskInvocationCount: invocation } = action;
  return { taskId, attempt, invocation };
}
