import { ActionType, type AssignedAction, type BatchActionEvent } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import { pause } from '../connection/backoff.ts';
import type { Connection } from '../connection/connection.ts';
import { repeatForMs } from '../connection/repeat-calls.ts';
import { parseActionPayload } from '../context/action-payload.ts';
import { Context } from '../context/context.ts';
import type { ContextHost } from '../context/context-host.ts';
import { captured } from '../console-capture.ts';
import { asError } from '../errors.ts';
import { messageOf } from '../failure/describe-failure.ts';
import type { Logger } from '../logger.ts';
import type { IsolatedTasks } from '../isolation/attempts/isolated-tasks.ts';
import type { IsolatedStep } from '../isolation/definition/isolated-step.ts';
import type { ForgottenCalls } from '../run/forgotten-calls.ts';
import { withParentRun } from '../run/parent-run.ts';
import { validate } from '../schema/validate.ts';
import type { Action } from './action.ts';
import type { AttemptLog } from './logs/attempt-log.ts';
import { Attempts, attemptKey, type Attempt } from './attempts.ts';
import { batchMembers, type BatchMember } from './batches/batch-members.ts';
import { batchResultEvents, batchStartedEvent, type MemberResult } from './batches/batch-report.ts';
import { AttemptHost } from './attempt-host.ts';
import { logForgottenCalls } from './logs/log-forgotten-calls.ts';
import { DurableTasks, left } from './durable-tasks.ts';
import { LogSender } from './logs/log-sender.ts';
import { LogWire } from './logs/log-wire.ts';
import { toFailure, toResult, type AttemptReport, type AttemptResult } from './attempt-result.ts';
import { sayStarted, sendBatchReport, sendReport } from './send-report.ts';
import { attemptReports, batchReports, ReportQueue } from './report-queue.ts';
import { runBatch } from './batches/run-batch.ts';

/** A result is held back for so long while lines of its task are on their way. */
const longestHoldMs = 800;

/** What the worker gives to the contexts of its tasks. */
export type WorkerView = Pick<ContextHost, 'runner' | 'workerId' | 'hasWorkflow' | 'labels' | 'upsertLabels'>;

export interface TaskRunnerOptions {
  connection: Connection;
  logger: Logger;
  view: WorkerView;
  workerName: string;
  /** Whether what tasks print goes to their logs. */
  capturesConsole: boolean;
  /** The action by its id, where this worker has it. */
  findAction(id: string): Action | undefined;
  /** Runs those that are kept apart. */
  isolated: IsolatedTasks;
  /** Names of the workflows that the worker has registered. */
  workflows(): readonly string[];
}

/** Runs what the engine assigns, and reports how it went. */
export class TaskRunner {
  readonly attempts = new Attempts();
  readonly durable: DurableTasks;
  readonly #options: TaskRunnerOptions;
  readonly #logs: LogSender;
  readonly #reports: ReportQueue<AttemptReport>;
  readonly #batchReports: ReportQueue<BatchActionEvent>;
  /** Of all that have started in this turn of the loop. */
  #leaving: Promise<void> | undefined;

  constructor(options: TaskRunnerOptions) {
    const { connection, logger } = options;
    this.#options = options;
    this.durable = new DurableTasks(connection, logger);
    this.#logs = new LogSender(new LogWire(connection), logger);
    this.#reports = new ReportQueue(
      attemptReports((report) => sendReport(connection, report)),
      logger,
    );
    this.#batchReports = new ReportQueue(
      batchReports((report) => sendBatchReport(connection, report)),
      logger,
    );
  }

  handle(action: AssignedAction): void {
    const { actionType } = action;
    const workflowName = this.#options.findAction(action.actionId)?.workflowName;
    if (workflowName !== undefined) action.jobName = workflowName;
    if (actionType === ActionType.START_STEP_RUN) this.#outlive(action, this.#start(action));
    else if (actionType === ActionType.START_BATCH) this.#outlive(action, this.#startBatch(action));
    else if (actionType === ActionType.CANCEL_STEP_RUN) this.#outlive(action, this.#cancel(action));
    else
      void this.#options.logger.error(`the engine sent an action of the unknown type ${actionType}; update hatchet-ts`);
  }

  /** A fault of the worker itself in one action is no matter of the others. */
  #outlive(action: AssignedAction, done: Promise<void>): void {
    done.catch(
      (error: unknown) =>
        void this.#options.logger.error(
          `${action.actionId} (${action.taskRunExternalId || action.batchId}) could not be handled`,
          asError(error),
        ),
    );
  }

  /** Gives up on results that are not handed over yet, and after a while on log lines. */
  async stop(patienceMs: number): Promise<void> {
    await this.#logs.stop(patienceMs);
    this.durable.stop();
    this.#reports.stop();
    this.#batchReports.stop();
  }

  async #start(action: AssignedAction): Promise<void> {
    const { logger } = this.#options;
    const label = `${action.actionId} (${action.taskRunExternalId}, attempt ${action.retryCount + 1})`;
    const attempt = this.attempts.begin(
      attemptKey(action.taskRunExternalId, action.retryCount, action.durableTaskInvocationCount),
      label,
    );
    if (attempt === undefined) return; // Delivered twice: it runs here, or has run.
    void logger.debug(`started ${label}`);
    this.#sayStarted(action, attempt);
    const log = this.#logs.open(action);
    const forgotten = linesOfForgotten(log);
    try {
      await this.#startedHasLeft();
      // What this worker was too busy to answer was taken back in the meantime, and runs elsewhere.
      if (attempt.isCancelled) return;
      const result = await this.#heard(log, () => this.#run(action, attempt, { log, forgotten }));
      forgotten.end();
      if (!log.isEmpty) await this.#flushed([log]);
      if (result === left) {
        void logger.debug(`${label} has left this worker`);
        return;
      }
      if (attempt.isCancelled) {
        await logger.info(`${label} was cancelled`);
        return;
      }
      if (result.status === 'failed') await logger.error(`${label} failed: ${result.message}`);
      await this.#reports.deliver({ action, workerId: this.#workerId(), result }, () => !attempt.isCancelled);
      void logger.debug(`${result.status} ${label}`);
    } finally {
      this.attempts.end(attempt.key);
    }
  }

  async #run(
    action: AssignedAction,
    attempt: Attempt,
    { log, forgotten }: { log: AttemptLog; forgotten: ForgottenCalls },
  ): Promise<AttemptResult | typeof left> {
    try {
      const found = this.#options.findAction(action.actionId);
      if (found === undefined || 'batch' in found) throw new Error(`this worker has no task ${action.actionId}`);
      if ('isolation' in found && found.isolation !== undefined)
        return await this.#runApart(found.isolation, action, { signal: attempt.abortController.signal, log });
      const payload = parseActionPayload(action.actionPayload);
      const input =
        found.inputSchema === undefined
          ? payload.input
          : await validate(found.inputSchema, payload.input, 'INVALID_INPUT', `the input of ${action.taskName}`);
      const facts = {
        input,
        action,
        payload,
        get abortController() {
          return attempt.abortController;
        },
        host: this.#host(log),
      };
      const parent = {
        workflowRunId: action.workflowRunId,
        taskRunExternalId: action.taskRunExternalId,
        workerId: this.#options.view.workerId(),
        get signal() {
          return attempt.abortController.signal;
        },
        nextChildIndex: 0,
        forgotten,
      };
      const output =
        'durable' in found
          ? await this.durable.run(found, facts, parent)
          : await withParentRun(parent, () => found.body.run(input, new Context(facts)));
      if (output === left) return left;
      const checked =
        found.outputSchema === undefined
          ? output
          : await validate(found.outputSchema, output, 'INVALID_OUTPUT', `the output of ${action.taskName}`);
      return toResult(action.taskName, checked);
    } catch (error) {
      return toFailure(error);
    }
  }

  async #runApart(
    step: IsolatedStep,
    action: AssignedAction,
    { signal, log }: { signal: AbortSignal; log: AttemptLog },
  ): Promise<AttemptResult> {
    const { connection, isolated, view } = this.#options;
    const { namespace, cancellationGraceMs } = connection.config;
    return await isolated.run({
      step,
      action,
      signal,
      connection,
      host: this.#host(log),
      namespace,
      workflows: this.#options.workflows(),
      labels: view.labels(),
      capturesConsole: this.#options.capturesConsole || step.level === 'sandbox',
      graceMs: cancellationGraceMs,
    });
  }

  async #startBatch(action: AssignedAction): Promise<void> {
    const { connection, logger } = this.#options;
    const members = batchMembers(action);
    const label = `${action.actionId} (batch ${action.batchId ?? ''} of ${members.length})`;
    const attempt = this.attempts.begin(`batch ${action.batchId ?? ''}`, label);
    if (attempt === undefined) return; // Delivered twice.
    this.attempts.gather(
      attempt,
      members.map(({ id, retryCount }) => attemptKey(id, retryCount ?? action.retryCount)),
    );
    const { signal } = attempt.abortController;
    const logs = new Map(members.map((member) => [member.id, this.#logs.open(member.action)]));
    sendBatchReport(
      connection,
      batchStartedEvent(
        action,
        this.#workerId(),
        members.map(({ id }) => id),
      ),
      { repeatForMs, signal },
    ).catch((error: unknown) => void logger.debug(`${label}: the engine did not take its start: ${messageOf(error)}`));
    try {
      await this.#startedHasLeft();
      if (signal.aborted) return;
      const results = await this.#runBatch(action, { members, attempt, logs });
      await this.#flushed([...logs.values()]);
      for (const { id, result } of results)
        if (result.status === 'failed' && !signal.aborted)
          await logger.error(`${label}, ${id} failed: ${result.message}`);
      const reports = batchResultEvents(action, this.#workerId(), results);
      await Promise.all(reports.map((report) => this.#batchReports.deliver(report, () => !signal.aborted)));
    } finally {
      this.attempts.end(attempt.key);
    }
  }

  async #runBatch(
    action: AssignedAction,
    {
      members,
      attempt,
      logs,
    }: { members: readonly BatchMember[]; attempt: Attempt; logs: ReadonlyMap<string, AttemptLog> },
  ): Promise<MemberResult[]> {
    const found = this.#options.findAction(action.actionId);
    if (found === undefined || !('batch' in found))
      return members.map(({ id }) => ({
        id,
        result: toFailure(new Error(`this worker has no batch task ${action.actionId}`)),
      }));
    const [first] = members;
    const hostOf = ({ taskRunExternalId }: AssignedAction): ContextHost => {
      const log = logs.get(taskRunExternalId);
      if (log === undefined) throw new Error(`the batch has no member ${taskRunExternalId}`);
      return this.#host(log);
    };
    const call = { action, members, found, abortController: attempt.abortController, hostOf };
    const log = logs.get(first?.id ?? '');
    const forgotten = log === undefined ? undefined : linesOfForgotten(log);
    // Children belong to the batch's first run.
    const parent = {
      workflowRunId: first?.action.workflowRunId ?? '',
      taskRunExternalId: first?.id ?? '',
      workerId: this.#options.view.workerId(),
      signal: attempt.abortController.signal,
      nextChildIndex: 0,
      forgotten,
    };
    const run = async (): Promise<MemberResult[]> => await withParentRun(parent, async () => await runBatch(call));
    const results = log === undefined ? await run() : await this.#heard(log, run);
    forgotten?.end();
    return results;
  }

  #host(log: AttemptLog): ContextHost {
    return new AttemptHost(this.#options, log);
  }

  /** Nothing waits for it: the result may even arrive before. But an engine that restarts must hear of it. */
  #sayStarted(action: AssignedAction, attempt: Attempt): void {
    const { connection, logger } = this.#options;
    const failed = (error: unknown): void =>
      void logger.debug(`${attempt.label}: the engine did not take its start: ${messageOf(error)}`);
    sayStarted(
      connection,
      { action, workerId: this.#workerId() },
      {
        repeatForMs,
        get signal() {
          return attempt.abortController.signal;
        },
      },
      failed,
    );
  }

  /** STARTED leaves before a body that keeps the event loop busy: in the next turn, and what goes by the link in the one after it. */
  #startedHasLeft(): Promise<void> {
    return (this.#leaving ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#leaving = undefined;
        if (this.#options.connection.link.isOffered === false) resolve();
        else setImmediate(resolve);
      });
    }));
  }

  async #cancel(action: AssignedAction): Promise<void> {
    const { connection, logger } = this.#options;
    const attempt = this.attempts.cancel(
      attemptKey(action.taskRunExternalId, action.retryCount, action.durableTaskInvocationCount),
    );
    if (attempt === undefined) return;
    const grace = connection.config.cancellationGraceMs;
    await pause(grace);
    const found = this.#options.findAction(action.actionId);
    // One that is kept apart is ended by now, or about to be.
    if (
      this.attempts.has(attempt.key) &&
      (found === undefined || !('isolation' in found) || found.isolation === undefined)
    ) {
      await logger.warn(
        `${attempt.label} still runs ${grace} ms after it was cancelled; hand ctx.abortController.signal to what it waits for, or look at ctx.cancelled`,
      );
    }
  }

  /** Runs code whose prints are lines of its log. */
  #heard<Result>(log: AttemptLog, body: () => Result): Result {
    if (!this.#options.capturesConsole) return body();
    return captured((level, message) => void log.write({ at: new Date(), level, message, metadata: '{}' }), body);
  }

  /** A result comes after its log, but does not wait for long: the task's time-out goes on, and the lines arrive without it too. */
  async #flushed(logs: readonly AttemptLog[]): Promise<void> {
    const waiting = logs.filter((log) => !log.isEmpty);
    if (waiting.length === 0) return;
    const done = new AbortController();
    await Promise.race([Promise.all(waiting.map((log) => log.flush())), pause(longestHoldMs, done.signal)]);
    done.abort();
  }

  #workerId(): string {
    return this.#options.view.workerId() ?? this.#options.workerName;
  }
}

function linesOfForgotten(log: AttemptLog): ForgottenCalls {
  return logForgottenCalls((line) => void log.write(line));
}
