import { setMaxListeners } from 'node:events';
import { status } from '@grpc/grpc-js';
import { StepActionEventType, type BatchActionEvent } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import { backoffMs, pause, type Backoff } from '../../link/backoff.ts';
import { isTransient, statusOf } from '../connection/call-error.ts';
import { asError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { AttemptReport } from './attempt-result.ts';

const backoff: Backoff = { firstMs: 100, longestMs: 5_000 };

/** A result is offered for this long: the engine gives up on a silent worker long before. */
const giveUpAfterMs = 15 * 60_000;

/** Statuses that mean that the engine will not take this content, while it would take another. */
const contentRefused: ReadonlySet<status> = new Set([
  status.INVALID_ARGUMENT,
  status.RESOURCE_EXHAUSTED,
  status.OUT_OF_RANGE,
]);

/** How reports of one kind are handed over. */
export interface ReportKind<Report> {
  /** One try. @throws ServiceError */
  send(report: Report): Promise<unknown>;
  /** What it is about, for the log. */
  subject(report: Report): string;
  /** What ends the attempts where the engine refuses the content of this; `undefined` where nothing else can be said. */
  instead(report: Report, reason: string): Report | undefined;
}

/** Of single attempts. */
export function attemptReports(send: (report: AttemptReport) => Promise<unknown>): ReportKind<AttemptReport> {
  return {
    send,
    subject: ({ action }) => `${action.actionId} (${action.taskRunExternalId})`,
    instead: (report, message) =>
      report.result !== 'started' && report.result.status === 'completed'
        ? { ...report, result: { status: 'failed', message, stack: undefined, code: undefined, retry: false } }
        : undefined,
  };
}

/** Of members of a batch. */
export function batchReports(send: (event: BatchActionEvent) => Promise<unknown>): ReportKind<BatchActionEvent> {
  return {
    send,
    subject: (event) => `${event.actionId} (${event.items.length} members of batch ${event.batchId ?? ''})`,
    instead: (event, message) =>
      isCompleted(event)
        ? {
            ...event,
            eventType: StepActionEventType.STEP_EVENT_TYPE_FAILED,
            items: event.items.map((item) => ({
              ...item,
              eventPayload: JSON.stringify({ message }),
              shouldNotRetry: true,
            })),
          }
        : undefined,
  };
}

function isCompleted({ eventType }: { eventType: StepActionEventType }): boolean {
  return eventType === StepActionEventType.STEP_EVENT_TYPE_COMPLETED;
}

/**
 * Hands results over until they are acknowledged, through engine restarts. Repeating one is harmless: the engine goes
 * by task and attempt, or batch. Each result is tried on its own, so that one that is refused holds nothing up.
 */
export class ReportQueue<Report> {
  readonly #kind: ReportKind<Report>;
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  readonly #pause: (ms: number, signal: AbortSignal) => Promise<void>;

  constructor(
    kind: ReportKind<Report>,
    logger: Logger,
    wait: (ms: number, signal: AbortSignal) => Promise<void> = pause,
  ) {
    this.#kind = kind;
    this.#logger = logger;
    this.#pause = wait;
    // Every result that waits listens.
    setMaxListeners(0, this.#stopping.signal);
  }

  /**
   * Resolves `true` once the engine has the result, `false` where it never will: it was refused, or is no longer wanted.
   * @param wanted asked before each try: a cancelled attempt's result is dropped
   * @param failed of a first try that was made already
   */
  async deliver(report: Report, wanted: () => boolean, failed?: { readonly error: unknown }): Promise<boolean> {
    const subject = this.#kind.subject(report);
    const startedAt = performance.now();
    for (let tries = 0; wanted() && !this.#stopping.signal.aborted; tries += 1) {
      try {
        if (tries === 0 && failed !== undefined) throw failed.error;
        await this.#kind.send(report);
        return true;
      } catch (error) {
        const code = statusOf(error);
        // An output that the engine refuses must still end the attempt: as a failure with the engine's reason.
        const instead =
          code !== undefined && contentRefused.has(code)
            ? this.#kind.instead(report, `the engine refused the output: ${asError(error).message}`)
            : undefined;
        if (instead !== undefined) return await this.deliver(instead, wanted);
        if (!isTransient(error)) {
          await this.#logger.error(`the result of ${subject} was refused`, asError(error));
          return false;
        }
        if (performance.now() - startedAt > giveUpAfterMs) {
          await this.#logger.error(
            `the result of ${subject} could not be handed over for ${giveUpAfterMs / 60_000} minutes`,
            asError(error),
          );
          return false;
        }
        if (tries === 3)
          await this.#logger.warn(`the result of ${subject} could not be handed over yet; trying on`, asError(error));
        await this.#pause(backoffMs(backoff, tries, Math.random()), this.#stopping.signal);
      }
    }
    return false;
  }

  /** Gives up on whatever is left. */
  stop(): void {
    this.#stopping.abort();
  }
}
