import { ActionType, type AssignedAction } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import { pause } from '../connection/backoff.ts';
import type { Connection } from '../connection/connection.ts';
import { callUnary, repeatForMs } from '../connection/unary.ts';
import { toHatchetError } from '../connection/call-error.ts';
import { parseActionPayload, type ActionPayload } from '../context/action-payload.ts';
import { Context } from '../context/context.ts';
import type { ContextHost, LogLine } from '../context/context-host.ts';
import type { Body } from '../definition/workflow-definition.ts';
import type { Logger } from '../logger.ts';
import { withParentRun } from '../run/parent-run.ts';
import type { StandardSchema } from '../schema/standard-schema.ts';
import { validate } from '../schema/validate.ts';
import { AttemptLog } from './attempt-log.ts';
import { Attempts, attemptKey, type Attempt } from './attempts.ts';
import { resultEvent, startedEvent, toFailure, toResult, type AttemptResult } from './report.ts';
import { ReportQueue } from './report-queue.ts';

/** A step that this worker can run. */
export interface Action {
  readonly body: Body;
  readonly inputSchema: StandardSchema | undefined;
  readonly outputSchema: StandardSchema | undefined;
}

/** What the worker gives to the contexts of its tasks. */
export type WorkerView = Pick<ContextHost, 'runner' | 'workerId' | 'hasWorkflow' | 'labels' | 'upsertLabels'>;

export interface TaskRunnerOptions {
  connection: Connection;
  logger: Logger;
  view: WorkerView;
  workerName: string;
  /** The action by its id, where this worker has it. */
  findAction(id: string): Action | undefined;
}

/** Runs what the engine assigns, and reports how it went. */
export class TaskRunner {
  readonly attempts = new Attempts();
  readonly #options: TaskRunnerOptions;
  readonly #reports: ReportQueue;

  constructor(options: TaskRunnerOptions) {
    const { connection, logger } = options;
    const { dispatcher } = connection;
    this.#options = options;
    this.#reports = new ReportQueue((event) => callUnary(connection, dispatcher.sendStepActionEvent.bind(dispatcher), event), logger);
  }

  handle(action: AssignedAction): void {
    const { actionType } = action;
    if (actionType === ActionType.START_STEP_RUN) void this.#start(action);
    else if (actionType === ActionType.CANCEL_STEP_RUN) void this.#cancel(action);
    else void this.#options.logger.error(`the engine sent an action of the unknown type ${actionType}; update hatchet-ts`);
  }

  /** Gives up on results that are not handed over yet. */
  stop(): void {
    this.#reports.stop();
  }

  async #start(action: AssignedAction): Promise<void> {
    const { logger } = this.#options;
    const label = `${action.actionId} (${action.taskRunExternalId}, attempt ${action.retryCount + 1})`;
    const attempt = this.attempts.begin(attemptKey(action.taskRunExternalId, action.retryCount), label);
    if (attempt === undefined) return; // Delivered twice: it runs here, or has run.
    await logger.debug(`started ${label}`);
    this.#sayStarted(action, attempt);
    const log = new AttemptLog((line) => this.#putLog(action, line), logger, label);
    const { signal } = attempt.abortController;
    try {
      // One turn of the loop, so that STARTED leaves before a body that keeps the loop busy.
      await new Promise((resolve) => setImmediate(resolve));
      const result = await this.#run(action, attempt, log);
      await log.flush();
      if (signal.aborted) {
        await logger.info(`${label} was cancelled`);
        return;
      }
      if (result.status === 'failed') await logger.error(`${label} failed: ${result.message}`);
      await this.#reports.deliver(resultEvent(action, this.#workerId(), result), () => !signal.aborted);
      await logger.debug(`${result.status} ${label}`);
    } finally {
      this.attempts.end(attempt.key);
    }
  }

  async #run(action: AssignedAction, attempt: Attempt, log: AttemptLog): Promise<AttemptResult> {
    const { signal } = attempt.abortController;
    try {
      const found = this.#options.findAction(action.actionId);
      if (found === undefined) throw new Error(`this worker has no task ${action.actionId}`);
      const payload = parseActionPayload(action.actionPayload);
      const input = found.inputSchema === undefined ? payload.input : await validate(found.inputSchema, payload.input, 'INVALID_INPUT', `the input of ${action.taskName}`);
      const ctx = this.#context(action, payload, input, attempt, log);
      const parent = { workflowRunId: action.workflowRunId, taskRunExternalId: action.taskRunExternalId, workerId: this.#options.view.workerId(), signal, nextChildIndex: 0 };
      const output = await withParentRun(parent, async () => await found.body.run(input, ctx));
      const checked = found.outputSchema === undefined ? output : await validate(found.outputSchema, output, 'INVALID_OUTPUT', `the output of ${action.taskName}`);
      return toResult(action.taskName, checked);
    } catch (error) {
      return toFailure(error);
    }
  }

  #context(action: AssignedAction, payload: ActionPayload, input: unknown, attempt: Attempt, log: AttemptLog): Context {
    const { connection, logger, view } = this.#options;
    const { dispatcher } = connection;
    const host: ContextHost = {
      ...view,
      logger,
      log: async (line) => await log.write(line),
      refreshTimeout: async (taskRunExternalId, incrementTimeoutBy) => {
        try {
          // Not repeated: it adds to the deadline, so that a second call would add twice.
          await callUnary(connection, dispatcher.refreshTimeout.bind(dispatcher), { taskRunExternalId, incrementTimeoutBy });
        } catch (error) {
          throw toHatchetError(error, 'refresh the timeout', 'UNKNOWN_RUN');
        }
      },
      putStream: async (taskRunExternalId, { number, chunk }) => {
        const { events } = connection;
        try {
          // The number is its identity: a chunk that is sent twice is kept once.
          await callUnary(connection, events.putStreamEvent.bind(events), { taskRunExternalId, createdAt: new Date(), message: Buffer.from(chunk), metadata: '', eventIndex: BigInt(number) }, { repeatForMs });
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
    return new Context({ input, action, payload, abortController: attempt.abortController, host });
  }

  /** Nothing waits for it: the result may even arrive before. But an engine that restarts must hear of it. */
  #sayStarted(action: AssignedAction, attempt: Attempt): void {
    const { connection, logger } = this.#options;
    const { dispatcher } = connection;
    callUnary(connection, dispatcher.sendStepActionEvent.bind(dispatcher), startedEvent(action, this.#workerId()), { repeatForMs, signal: attempt.abortController.signal }).catch(
      (error: unknown) => void logger.debug(`${attempt.label}: the engine did not take its start: ${String(error)}`),
    );
  }

  async #cancel(action: AssignedAction): Promise<void> {
    const { connection, logger } = this.#options;
    const attempt = this.attempts.cancel(attemptKey(action.taskRunExternalId, action.retryCount));
    if (attempt === undefined) return;
    const grace = connection.config.cancellationGraceMs;
    await pause(grace);
    if (this.attempts.has(attempt.key)) {
      await logger.warn(`${attempt.label} still runs ${grace} ms after it was cancelled; hand ctx.abortController.signal to what it waits for, or look at ctx.cancelled`);
    }
  }

  async #putLog(action: AssignedAction, line: LogLine): Promise<void> {
    const { connection } = this.#options;
    const { events } = connection;
    const request = { taskRunExternalId: action.taskRunExternalId, taskRetryCount: action.retryCount, createdAt: line.at, level: line.level, message: line.message, metadata: line.metadata };
    await callUnary(connection, events.putLog.bind(events), request, { repeatForMs });
  }

  #workerId(): string {
    return this.#options.view.workerId() ?? this.#options.workerName;
  }
}
