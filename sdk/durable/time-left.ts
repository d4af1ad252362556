import type { Connection } from '../connection/connection.ts';
import { callUnary, repeatForMs } from '../connection/repeat-calls.ts';

/**
 * Milliseconds until the engine ends the task's attempt, by a refresh that adds next to nothing (a cluster does not answer one that adds nothing): the contract has no other question
 * that tells. Undefined where the engine does not say, or the attempt is over.
 */
export async function timeLeft(
  connection: Connection,
  taskRunExternalId: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { dispatcher, config } = connection;
  try {
    const { timeoutAt } = await callUnary(
      connection,
      dispatcher.refreshTimeout.bind(dispatcher),
      { taskRunExternalId, incrementTimeoutBy: '1ms' },
      { repeatForMs, signal },
    );
    return timeoutAt === undefined ? undefined : timeoutAt.getTime() - config.now().getTime();
  } catch {
    return undefined;
  }
}
