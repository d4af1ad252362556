import { ActionType, type AssignedAction, type BatchActionEvent, type StepActionEvent } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import { pause } from '../connection/backoff.ts';
import type { Connection } from '../connection/connection.ts';
import { callUnary, repeatForMs } from '../connection/unary.ts';
import { parseActionPayload } from '../context/action-payload.ts';
import { Context } from '../context/context.ts';
import type { ContextHost, LogLine } from '../context/context-host.ts';
import type { Logger } from '../logger.ts';
import { withParentRun } from '../run/parent-run.ts';
import { validate } from '../schema/validate.ts';
import type { Action } from './action.ts';
import { AttemptLog } from './attempt-log.ts';
import { Attempts, attemptKey, type Attempt } from './attempts.ts';
import { batchMembers, type BatchMember } from './batch-members.ts';
import { batchResultEvents, batchStartedEvent, type MemberResult } from './batch-report.ts';
import { contextHost } from './context-host.ts';
import { DurableTasks, left } from './durable-tasks.ts';
import { resultEvent, startedEvent, toFailure, toResult, type AttemptResult } from './report.ts';
import { attemptReports, batchReports, ReportQueue } from './report-queue.ts';
import { runBatch } from './run-batch.ts';

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
  readonly durable: DurableTasks;
  readonly #options: TaskRunnerOptions;
  readonly #reports: ReportQueue<StepActionEvent>;
  readonly #batchReports: ReportQueue<BatchActionEvent>;

  constructor(options: TaskRunnerOptions) {
    const { connection, logger } = options;
    const { dispatcher } = connection;
    this.#options = options;
    this.durable = new DurableTasks(connection, logger);
    this.#reports = new ReportQueue(attemptReports((event) => callUnary(connection, dispatcher.sendStepActionEvent.bind(dispatcher), event)), logger);
    this.#batchReports = new ReportQueue(batchReports((event) => callUnary(connection, dispatcher.sendBatchActionEvent.bind(dispatcher), event)), logger);
  }

  handle(action: AssignedAction): void {
    const { actionType } = action;
    if (actionType === ActionType.START_STEP_RUN) void this.#start(action);
    else if (actionType === ActionType.START_BATCH) void this.#startBatch(action);
    else if (actionType === ActionType.CANCEL_STEP_RUN) void this.#cancel(action);
    else void this.#options.logger.error(`the engine sent an action of the unknown type ${actionType}; update hatchet-ts`);
  }

  /** Gives up on results that are not handed over yet. */
  stop(): void {
    this.durable.stop();
    this.#reports.stop();
    this.#batchReports.stop();
  }

  async #start(action: AssignedAction): Promise<void> {
    const { logger } = this.#options;
    const label = `${action.actionId} (${action.taskRunExternalId}, attempt ${action.retryCount + 1})`;
    const attempt = this.attempts.begin(attemptKey(action.taskRunExternalId, action.retryCount, action.durableTaskInvocationCount), label);
    if (attempt === undefined) return; // Delivered twice: it runs here, or has run.
    await logger.debug(`started ${label}`);
    this.#sayStarted(action, attempt);
    const log = new AttemptLog((line) => this.#putLog(action, line), logger, label);
    const { signal } = attempt.abortController;
    try {
      // One turn of the loop, so that STARTED leaves before a body that keeps the loop busy.
      await new Promise((resolve) => setImmediate(resolve));
      // What this worker was too busy to answer was taken back in the meantime, and runs elsewhere.
      if (signal.aborted) return;
      const result = await this.#run(action, attempt, log);
      await log.flush();
      if (result === left) {
        await logger.debug(`${label} has left this worker`);
        return;
      }
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

  async #run(action: AssignedAction, attempt: Attempt, log: AttemptLog): Promise<AttemptResult | typeof left> {
    const { signal } = attempt.abortController;
    try {
      const found = this.#options.findAction(action.actionId);
      if (found === undefined || 'batch' in found) throw new Error(`this worker has no task ${action.actionId}`);
      const payload = parseActionPayload(action.actionPayload);
      const input = found.inputSchema === undefined ? payload.input : await validate(found.inputSchema, payload.input, 'INVALID_INPUT', `the input of ${action.taskName}`);
      const facts = { input, action, payload, abortController: attempt.abortController, host: this.#host(log) };
      const parent = { workflowRunId: action.workflowRunId, taskRunExternalId: action.taskRunExternalId, workerId: this.#options.view.workerId(), signal, nextChildIndex: 0 };
      const output = 'durable' in found ? await this.durable.run(found, facts, parent) : await withParentRun(parent, async () => await found.body.run(input, new Context(facts)));
      if (output === left) return left;
      const checked = found.outputSchema === undefined ? output : await validate(found.outputSchema, output, 'INVALID_OUTPUT', `the output of ${action.taskName}`);
      return toResult(action.taskName, checked);
    } catch (error) {
      return toFailure(error);
    }
  }

  async #startBatch(action: AssignedAction): Promise<void> {
    const { connection, logger } = this.#options;
    const { dispatcher } = connection;
    const members = batchMembers(action);
    const label = `${action.actionId} (batch ${action.batchId ?? ''} of ${members.length})`;
    const attempt = this.attempts.begin(`batch ${action.batchId ?? ''}`, label);
    if (attempt === undefined) return; // Delivered twice.
    this.attempts.gather(attempt, members.map(({ id, retryCount }) => attemptKey(id, retryCount ?? action.retryCount)));
    const { signal } = attempt.abortController;
    const logs = new Map(members.map((member) => [member.id, new AttemptLog((line) => this.#putLog(member.action, line), logger, `${label}, ${member.id}`)]));
    callUnary(connection, dispatcher.sendBatchActionEvent.bind(dispatcher), batchStartedEvent(action, this.#workerId(), members.map(({ id }) => id)), { repeatForMs, signal }).catch(
      (error: unknown) => void logger.debug(`${label}: the engine did not take its start: ${String(error)}`),
    );
    try {
      await new Promise((resolve) => setImmediate(resolve)); // As with a single attempt.
      if (signal.aborted) return;
      const results = await this.#runBatch(action, { members, attempt, logs });
      await Promise.all([...logs.values()].map((log) => log.flush()));
      for (const { id, result } of results) if (result.status === 'failed' && !signal.aborted) await logger.error(`${label}, ${id} failed: ${result.message}`);
      const reports = batchResultEvents(action, this.#workerId(), results);
      await Promise.all(reports.map((report) => this.#batchReports.deliver(report, () => !signal.aborted)));
    } finally {
      this.attempts.end(attempt.key);
    }
  }

  async #runBatch(action: AssignedAction, { members, attempt, logs }: { members: readonly BatchMember[]; attempt: Attempt; logs: ReadonlyMap<string, AttemptLog> }): Promise<MemberResult[]> {
    const found = this.#options.findAction(action.actionId);
    if (found === undefined || !('batch' in found)) return members.map(({ id }) => ({ id, result: toFailure(new Error(`this worker has no batch task ${action.actionId}`)) }));
    const [first] = members;
    const hostOf = ({ taskRunExternalId }: AssignedAction): ContextHost => {
      const log = logs.get(taskRunExternalId);
      if (log === undefined) throw new Error(`the batch has no member ${taskRunExternalId}`);
      return this.#host(log);
    };
    const call = { action, members, found, abortController: attempt.abortController, hostOf };
    // Children belong to the batch's first run.
    const parent = { workflowRunId: first?.action.workflowRunId ?? '', taskRunExternalId: first?.id ?? '', workerId: this.#options.view.workerId(), signal: attempt.abortController.signal, nextChildIndex: 0 };
    return await withParentRun(parent, async () => await runBatch(call));
  }

  #host(log: AttemptLog): ContextHost {
    const { connection, logger, view } = this.#options;
    return contextHost({ connection, logger, view, log });
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
    const attempt = this.attempts.cancel(attemptKey(action.taskRunExternalId, action.retryCount, action.durableTaskInvocationCount));
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
