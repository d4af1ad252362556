import { toHatchetError } from '../connection/call-error.ts';
import type { Connection } from '../connection/connection.ts';
import { callUnary, repeatForMs } from '../connection/repeat-calls.ts';
import type { ContextHost, LogLine, WorkerLabels } from '../context/context-host.ts';
import type { Logger } from '../logger.ts';
import type { RunStarter } from '../run/run-starter.ts';
import type { AttemptLog } from './logs/attempt-log.ts';
import { sendChunk } from './send-chunk.ts';

/** What contexts ask of their worker, whichever attempt they are of. */
export interface WorkerParts {
  readonly connection: Connection;
  readonly logger: Logger;
  readonly view: Pick<ContextHost, 'runner' | 'workerId' | 'hasWorkflow' | 'labels' | 'upsertLabels'>;
}

/** What a context asks of its worker, and of the engine through it. One for each attempt: nothing is made for what is not asked. */
export class AttemptHost implements ContextHost {
  readonly #parts: WorkerParts;
  readonly #own: { readonly log: AttemptLog };

  /** @param own whose log is made for who writes to it */
  constructor(parts: WorkerParts, own: { readonly log: AttemptLog }) {
    this.#parts = parts;
    this.#own = own;
  }

  get runner(): RunStarter {
    return this.#parts.view.runner;
  }

  get logger(): Logger {
    return this.#parts.logger;
  }

  workerId(): string | undefined {
    return this.#parts.view.workerId();
  }

  hasWorkflow(name: string): boolean {
    return this.#parts.view.hasWorkflow(name);
  }

  labels(): WorkerLabels {
    return this.#parts.view.labels();
  }

  upsertLabels(labels: WorkerLabels): Promise<WorkerLabels> {
    return this.#parts.view.upsertLabels(labels);
  }

  log(line: LogLine): Promise<void> {
    return this.#own.log.write(line);
  }

  async refreshTimeout(taskRunExternalId: string, incrementTimeoutBy: string): Promise<void> {
    const { connection } = this.#parts;
    const { dispatcher } = connection;
    try {
      // Not repeated: it adds to the deadline, so that a second call would add twice.
      await callUnary(connection, dispatcher.refreshTimeout.bind(dispatcher), {
        taskRunExternalId,
        incrementTimeoutBy,
      });
    } catch (error) {
      throw toHatchetError(error, 'refresh the timeout', 'UNKNOWN_RUN');
    }
  }

  async putStream(taskRunExternalId: string, { number, chunk }: { number: number; chunk: Uint8Array }): Promise<void> {
    try {
      await sendChunk(this.#parts.connection, {
        taskRunExternalId,
        createdAt: new Date(),
        message: Buffer.from(chunk),
        metadata: '',
        eventIndex: BigInt(number), // its identity
      });
    } catch (error) {
      throw toHatchetError(error, 'send to the stream', 'UNKNOWN_RUN');
    }
  }

  async releaseSlot(taskRunExternalId: string): Promise<void> {
    const { connection } = this.#parts;
    const { dispatcher } = connection;
    try {
      await callUnary(connection, dispatcher.releaseSlot.bind(dispatcher), { taskRunExternalId }, { repeatForMs });
    } catch (error) {
      throw toHatchetError(error, 'release the slot', 'UNKNOWN_RUN');
    }
  }
}
