import { toHatchetError } from '../connection/call-error.ts';
import type { Connection } from '../connection/connection.ts';
import { callUnary, repeatForMs } from '../connection/unary.ts';
import type { ContextHost } from '../context/context-host.ts';
import type { Logger } from '../logger.ts';
import type { AttemptLog } from './attempt-log.ts';

/** What a context asks of its worker, and of the engine through it. */
export function contextHost(parts: {
  connection: Connection;
  logger: Logger;
  view: Pick<ContextHost, 'runner' | 'workerId' | 'hasWorkflow' | 'labels' | 'upsertLabels'>;
  log: AttemptLog;
}): ContextHost {
  const { connection, logger, view, log } = parts;
  const { dispatcher } = connection;
  return {
    ...view,
    logger,
    log: async (line) => await log.write(line),
    refreshTimeout: async (taskRunExternalId, incrementTimeoutBy) => {
      try {
        // Not repeated: it adds to the deadline, so that a second call would add twice.
        await callUnary(connection, dispatcher.refreshTimeout.bind(dispatcher), {
          taskRunExternalId,
          incrementTimeoutBy,
        });
      } catch (error) {
        throw toHatchetError(error, 'refresh the timeout', 'UNKNOWN_RUN');
      }
    },
    putStream: async (taskRunExternalId, { number, chunk }) => {
      const { events } = connection;
      try {
        // The number is its identity.
        await callUnary(
          connection,
          events.putStreamEvent.bind(events),
          {
            taskRunExternalId,
            createdAt: new Date(),
            message: Buffer.from(chunk),
            metadata: '',
            eventIndex: BigInt(number),
          },
          { repeatForMs, repeatWith: 'streamNumbers' },
        );
      } catch (error) {
        throw toHatchetError(error, 'send to the stream', 'UNKNOWN_RUN');
      }
    },
    releaseSlot: async (taskRunExternalId) => {
      try {
        await callUnary(connection, dispatcher.releaseSlot.bind(dispatcher), { taskRunExternalId }, { repeatForMs });
      } catch (error) {
        throw toHatchetError(error, 'release the slot', 'UNKNOWN_RUN');
      }
    },
  };
}
