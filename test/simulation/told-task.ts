import type { WorkerMessage } from '../../engine/dispatch/worker-session.ts';
import { ActionType, type AssignedAction } from '../../proto/gen/hatchet/contract/dispatcher.ts';

interface ToldAttempt {
  taskId: string;
  attempt: number;
  invocation: number | null;
}

/** What a worker is told, however that came to it. */
export type ToldTask =
  | ({ kind: 'start'; input: string } & ToldAttempt)
  | { kind: 'startBatch'; batchId: string; payload: string }
  | ({ kind: 'cancel' } & ToldAttempt);

export type ToldStart = ToldTask & { kind: 'start' };

/** By the contract's stream. */
export function toldByStream(message: WorkerMessage): ToldTask {
  const { taskId, attempt, invocation } = message;
  switch (message.kind) {
    case 'start':
      return { kind: 'start', taskId, attempt, invocation, input: message.parts.input };
    case 'startBatch':
      return { kind: 'startBatch', batchId: message.batch.id, payload: message.payload };
    case 'cancel':
      return { kind: 'cancel', taskId, attempt, invocation };
  }
}

/** By a session. */
export function toldBySession(action: AssignedAction): ToldTask {
  const { taskRunExternalId: taskId, retryCount: attempt, durableTaskInvocationCount: invocation = null } = action;
  if (action.actionType === ActionType.CANCEL_STEP_RUN) return { kind: 'cancel', taskId, attempt, invocation };
  if (action.actionType === ActionType.START_BATCH)
    return { kind: 'startBatch', batchId: action.batchId ?? '', payload: action.actionPayload };
  const { input }: { input: unknown } = JSON.parse(action.actionPayload);
  return { kind: 'start', taskId, attempt, invocation, input: JSON.stringify(input) };
}
