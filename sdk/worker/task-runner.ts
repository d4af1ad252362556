import { ActionType, type AssignedAction, type BatchActionEvent } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import { pause } from '../../link/backoff.ts';
import { repeatForMs } from '../connection/repeat-calls.ts';
import type { ContextHost } from '../context/context-host.ts';
import { captured } from '../console-capture.ts';
import { asError } from '../errors.ts';
import { messageOf } from '../failure/describe-failure.ts';
import { withParentRun } from '../run/parent-run.ts';
import { AttemptCode, type AttemptCodeOptions, type AttemptEnd } from './attempt-code.ts';
import { AttemptHost } from './attempt-host.ts';
import { AttemptParts } from './attempt-parts.ts';
import type { AttemptLog } from './logs/attempt-log.ts';
import { Attempts, attemptKey, type Attempt } from './attempts.ts';
import { batchMembers, type BatchMember } from './batches/batch-members.ts';
import { batchResultEvents, batchStartedEvent, type MemberResult } from './batches/batch-report.ts';
import { logForgottenCalls } from './logs/log-forgotten-calls.ts';
import { DurableTasks, left } from './durable-tasks.ts';
import { LogSender } from './logs/log-sender.ts';
import { LogWire } from './logs/log-wire.ts';
import { toFailure, type AttemptReport } from './attempt-result.ts';
import { sayStarted, sendBatchReport, sendReport } from './send-report.ts';
import { attemptReports, batchReports, ReportQueue } from './report-queue.ts';
import { runBatch } from './batches/run-batch.ts';

/** A result is held back for so long while lines of its task are on their way. */
const longestHoldMs = 800;

export interface TaskRunnerOptions extends AttemptCodeOptions {
  readonly workerName: string;
}

/** Runs what the engine assigns, and reports how it went. */
export class TaskRunner {
  readonly attempts = new Attempts();
  readonly durable: DurableTasks;
  readonly #options: TaskRunnerOptions;
  readonly #logs: LogSender;
  readonly #reports: ReportQueue<AttemptReport>;
  readonly #batchReports: ReportQueue<BatchActionEvent>;
  readonly #code: AttemptCode;
  /** What waits for the starts that were said in this turn of the loop. */
  #leaving: (() => void)[] | undefined;

  constructor(options: TaskRunnerOptions) {
    const { connection, logger } = options;
    this.#options = options;
    this.durable = new DurableTasks(connection, logger);
    this.#code = new AttemptCode(options, this.durable);
    this.#logs = new LogSender(new LogWire(connection), logger);
    this.#reports = new ReportQueue(
      attemptReports(
        (report) =>
          new Promise<void>((resolve, reject) =>
            sendReport(connection, report, (failure) => (failure === undefined ? resolve() : reject(failure.error))),
          ),
      ),
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
    if (actionType === ActionType.START_STEP_RUN) this.#start(action);
    else if (actionType === ActionType.START_BATCH) this.#outlive(action, this.#startBatch(action));
    else if (actionType === ActionType.CANCEL_STEP_RUN) this.#outlive(action, this.#cancel(action));
    else
      void this.#options.logger.error(`the engine sent an action of the unknown type ${actionType}; update hatchet-ts`);
  }

  /** A fault of the worker itself in one action is no matter of the others. */
  #outlive(action: AssignedAction, done: Promise<void>): void {
    done.catch((error: unknown) => this.#unhandled(action, error));
  }

  #unhandled({ actionId, taskRunExternalId, batchId }: AssignedAction, error: unknown): void {
    void this.#options.logger.error(
      `${actionId} (${taskRunExternalId || batchId}) could not be handled`,
      asError(error),
    );
  }

  /** Gives up on results that are not handed over yet, and after a while on log lines. */
  async stop(patienceMs: number): Promise<void> {
    await this.#logs.stop(patienceMs);
    this.durable.stop();
    this.#reports.stop();
    this.#batchReports.stop();
  }

  #start(action: AssignedAction): void {
    const { logger } = this.#options;
    const label = `${action.actionId} (${action.taskRunExternalId}, attempt ${action.retryCount + 1})`;
    const attempt = this.attempts.begin(
      attemptKey(action.taskRunExternalId, action.retryCount, action.durableTaskInvocationCount),
      label,
    );
    if (attempt === undefined) return; // Delivered twice: it runs here, or has run.
    void logger.debug(`started ${label}`);
    this.#sayStarted(action, attempt);
    this.#onceStartedHasLeft(() => this.#begin(new AttemptParts(action, attempt, this.#logs)));
  }

  /** From here to the result's acknowledgement no promise is made for a task whose function gives none. */
  #begin(parts: AttemptParts): void {
    const { attempt, action } = parts;
    const ended = (end: AttemptEnd): void => {
      try {
        this.#ended(parts, end);
      } catch (error) {
        this.attempts.end(attempt.key);
        this.#unhandled(action, error);
      }
    };
    // What this worker was too busy to answer was taken back in the meantime, and runs elsewhere.
    if (attempt.isCancelled) return this.attempts.end(attempt.key);
    const end = this.#heard(parts, () => this.#code.run(parts));
    if (end instanceof Promise) void end.then(ended);
    else ended(end);
  }

  #ended(parts: AttemptParts, end: AttemptEnd): void {
    const { action, attempt } = parts;
    parts.end();
    if (end === left || end.status === 'failed' || parts.hasLines || attempt.isCancelled)
      return this.#outlive(action, this.#endedAtLength(parts, end));
    const report = { action, workerId: this.#workerId(), result: end };
    sendReport(this.#options.connection, report, (failure) => {
      if (failure === undefined) this.#delivered(attempt, report);
      else this.#outlive(action, this.#deliver(attempt, report, failure));
    });
  }

  /** Where there is more to do than to hand the result over. */
  async #endedAtLength(parts: AttemptParts, end: AttemptEnd): Promise<void> {
    const { logger } = this.#options;
    const { action, attempt } = parts;
    const { label } = attempt;
    try {
      if (parts.hasLines) await this.#flushed([parts.log]);
      if (end === left) {
        void logger.debug(`${label} has left this worker`);
        return;
      }
      if (attempt.isCancelled) {
        await logger.info(`${label} was cancelled`);
        return;
      }
      if (end.status === 'failed') await logger.error(`${label} failed: ${end.message}`);
      await this.#deliver(attempt, { action, workerId: this.#workerId(), result: end });
    } finally {
      this.attempts.end(attempt.key);
    }
  }

  /** @param failure of a try that was made already */
  async #deliver(attempt: Attempt, report: AttemptReport, failure?: { error: unknown }): Promise<void> {
    try {
      await this.#reports.deliver(report, () => !attempt.isCancelled, failure);
    } finally {
      this.#delivered(attempt, report);
    }
  }

  #delivered({ key, label }: Attempt, { result }: AttemptReport): void {
    this.attempts.end(key);
    if (result !== 'started') void this.#options.logger.debug(`${result.status} ${label}`);
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
      await new Promise<void>((resolve) => this.#onceStartedHasLeft(resolve));
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
      return new AttemptHost(this.#options, { log });
    };
    const call = { action, members, found, abortController: attempt.abortController, hostOf };
    const log = logs.get(first?.id ?? '');
    const forgotten = log === undefined ? undefined : logForgottenCalls((line) => void log.write(line));
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
    const results = log === undefined ? await run() : await this.#heard({ log }, run);
    forgotten?.end();
    return results;
  }

  /** Nothing waits for it: the result may even arrive before. But an engine that restarts must hear of it. */
  #sayStarted(action: AssignedAction, attempt: Attempt): void {
    const { connection, logger } = this.#options;
    const failed = (error: unknown): void =>
      void logger.debug(`${attempt.label}: the engine did not take its start: ${messageOf(error)}`);
    sayStarted(connection, { action, workerId: this.#workerId() }, { attempt, failed });
  }

  /** STARTED leaves before a body that keeps the event loop busy: in the next turn, and what goes by the link in the one after it. */
  #onceStartedHasLeft(begin: () => void): void {
    if (this.#leaving !== undefined) return void this.#leaving.push(begin);
    const leaving = [begin];
    this.#leaving = leaving;
    const go = (): void => {
      for (const each of leaving) each();
    };
    setImmediate(() => {
      this.#leaving = undefined;
      if (this.#options.connection.link.isOffered === false) go();
      else setImmediate(go);
    });
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
  #heard<Result>(own: { readonly log: AttemptLog }, body: () => Result): Result {
    if (!this.#options.capturesConsole) return body();
    return captured((level, message) => void own.log.write({ at: new Date(), level, message, metadata: '{}' }), body);
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
