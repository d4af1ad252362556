import { setMaxListeners } from 'node:events';
import { status } from '@grpc/grpc-js';
import { StepActionEventType, type StepActionEvent } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import { backoffMs, pause, type Backoff } from '../connection/backoff.ts';
import { isTransient, statusOf } from '../connection/call-error.ts';
import { asError } from '../errors.ts';
import type { Logger } from '../logger.ts';

const backoff: Backoff = { firstMs: 100, longestMs: 5_000 };

/** A result is offered for this long: the engine gives up on a silent worker long before. */
const giveUpAfterMs = 15 * 60_000;

/** Statuses that mean that the engine will not take this content, while it would take another. */
const contentRefused: ReadonlySet<status> = new Set([status.INVALID_ARGUMENT, status.RESOURCE_EXHAUSTED, status.OUT_OF_RANGE]);

/** One try to hand an event over. @throws ServiceError */
export type SendReport = (event: StepActionEvent) => Promise<unknown>;

/**
 * Hands results over until they are acknowledged, through engine restarts. Repeating one is harmless: the engine goes
 * by task and attempt. Each result is tried on its own, so that one that is refused holds nothing up.
 */
export class ReportQueue {
  readonly #send: SendReport;
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  readonly #pause: (ms: number, signal: AbortSignal) => Promise<void>;

  constructor(send: SendReport, logger: Logger, wait: (ms: number, signal: AbortSignal) => Promise<void> = pause) {
    this.#send = send;
    this.#logger = logger;
    this.#pause = wait;
    // Every result that waits listens.
    setMaxListeners(0, this.#stopping.signal);
  }

  /**
   * Resolves `true` once the engine has the result, `false` where it never will: it was refused, or is no longer wanted.
   * @param wanted asked before each try: a cancelled attempt's result is dropped
   */
  async deliver(event: StepActionEvent, wanted: () => boolean): Promise<boolean> {
    const startedAt = performance.now();
    for (let tries = 0; wanted() && !this.#stopping.signal.aborted; tries += 1) {
      try {
        await this.#send(event);
        return true;
      } catch (error) {
        const code = statusOf(error);
        if (code !== undefined && contentRefused.has(code) && event.eventType === StepActionEventType.STEP_EVENT_TYPE_COMPLETED) {
          return await this.deliver(refusedOutput(event, error), wanted);
        }
        if (!isTransient(error)) {
          await this.#logger.error(`the result of ${event.actionId} (${event.taskRunExternalId}) was refused`, asError(error));
          return false;
        }
        if (performance.now() - startedAt > giveUpAfterMs) {
          await this.#logger.error(`the result of ${event.actionId} (${event.taskRunExternalId}) could not be handed over for ${giveUpAfterMs / 60_000} minutes`, asError(error));
          return false;
        }
        if (tries === 3) await this.#logger.warn(`the result of ${event.actionId} (${event.taskRunExternalId}) could not be handed over yet; trying on`, asError(error));
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

/** An output that the engine refuses must still end the attempt: as a failure with the engine's reason. */
function refusedOutput(event: StepActionEvent, error: unknown): StepActionEvent {
  const message = `the engine refused the output: ${asError(error).message}`;
  return { ...event, eventType: StepActionEventType.STEP_EVENT_TYPE_FAILED, eventPayload: JSON.stringify({ message }), shouldNotRetry: true };
}
