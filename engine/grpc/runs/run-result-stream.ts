import { toldError } from '../../model/payload/split-error.ts';
import { parseUuid } from '../../model/ids/uuid.ts';
import { mostResultBytes, type RunEndWaiters, type TaskResult } from '../../monitor/runs/run-end-waiters.ts';
import { WorkflowRunEventType, type WorkflowRunEvent } from '../../../proto/gen/hatchet/contract/dispatcher.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** Characters of results that are written and not yet sent: past that, its client is one that does not read. */
const mostUnsent = 1024 * 1024;
/** Results that wait in the library of a stream. */
const mostMessages = 1_000;
/** Runs of one stream that are waited for at once: past that, it is read further as they end. */
const mostWaits = 200_000;
/** Results that are read again at once for a client that reads again. */
const pageRuns = 50;

/** The stream to whoever waits. */
interface Subscriber {
  /** It has more to carry than its client reads; `drain` says that it is not so any more. */
  readonly isFull: boolean;
  readonly cancelled: boolean;
  /** @param sent called once the client has taken it */
  write(event: WorkflowRunEvent, sent: () => void): unknown;
  on(event: 'drain', listener: () => void): unknown;
  pause(): unknown;
  resume(): unknown;
}

/** As grpc-js has it. */
type ContractStream = Omit<Subscriber, 'isFull'> & { readonly writableLength: number };

/**
 * A stream of the contract: a message of it is one result. Its library calls it full from 16 messages on, which one transaction ends at
 * once: the results of the others would be read from Postgres as often as 16 have left.
 */
export function subscriberOf(call: ContractStream): Subscriber {
  return {
    get isFull() {
      return call.writableLength >= mostMessages;
    },
    get cancelled() {
      return call.cancelled;
    },
    write: (event, sent) => call.write(event, sent),
    on: (event, listener) => call.on(event, listener),
    pause: () => call.pause(),
    resume: () => call.resume(),
  };
}

/**
 * One stream that waits for runs to end. While its client does not read, only the ids of what ended are kept: the results
 * are in Postgres, and are read once it does.
 */
export class RunResultStream {
  readonly #results: Pick<RunEndWaiters, 'wait'>;
  readonly #tenantId: TenantId;
  readonly #call: Subscriber;
  /** By run, to stop waiting. */
  readonly #waits = new Map<string, () => void>();
  /** Ended while the client did not read: by run, the id as the client gave it. */
  readonly #late = new Map<string, string>();
  /** Of those, the ones that are being read again. */
  readonly #reading = new Set<string>();
  #unsent = 0;

  constructor(results: Pick<RunEndWaiters, 'wait'>, options: { tenantId: TenantId; call: Subscriber }) {
    this.#results = results;
    this.#tenantId = options.tenantId;
    this.#call = options.call;
    this.#call.on('drain', () => {
      // One that was replayed meanwhile is not waited for with the others.
      this.#reading.clear();
      this.#readLate();
    });
  }

  add(given: string): void {
    const runId = parseUuid(given);
    if (runId === undefined || this.#call.cancelled) return;
    this.#wait(runId, given);
    if (this.#size >= mostWaits) this.#call.pause();
  }

  stop(): void {
    for (const stop of this.#waits.values()) stop();
    this.#waits.clear();
    this.#late.clear();
    this.#reading.clear();
  }

  get #size(): number {
    return this.#waits.size + this.#late.size;
  }

  #wait(runId: string, given: string): void {
    this.#late.delete(runId);
    this.#waits.get(runId)?.();
    this.#waits.set(
      runId,
      this.#results.wait(this.#tenantId, runId, (results) => this.#ended(runId, given, results)),
    );
  }

  /** A stream is full by the number of its messages, which says nothing of their size. */
  get #isBehind(): boolean {
    return this.#call.isFull || this.#unsent > mostUnsent;
  }

  #ended(runId: string, given: string, results: readonly TaskResult[]): void {
    this.#waits.delete(runId);
    if (this.#isBehind) this.#late.set(runId, given);
    else this.#write(given, results);
    if (this.#size < mostWaits) this.#call.resume();
    if (this.#reading.delete(runId) && !this.#isBehind) this.#readLate();
  }

  #write(given: string, results: readonly TaskResult[]): void {
    const size = sizeOf(results);
    this.#unsent += size;
    this.#call.write(runFinished(given, size > mostResultBytes ? [] : results), () => {
      const wasBehind = this.#isBehind;
      this.#unsent -= size;
      if (wasBehind && !this.#isBehind) this.#readLate();
    });
  }

  #readLate(): void {
    for (const [runId, given] of this.#late) {
      if (this.#reading.size >= pageRuns) break;
      this.#reading.add(runId);
      this.#wait(runId, given);
    }
  }
}

function sizeOf(results: readonly TaskResult[]): number {
  return results.reduce((sum, result) => sum + (result.output?.length ?? 0) + (result.error?.length ?? 0), 0);
}

function runFinished(runId: string, results: readonly TaskResult[]): WorkflowRunEvent {
  return {
    workflowRunId: runId,
    eventType: WorkflowRunEventType.WORKFLOW_RUN_EVENT_TYPE_FINISHED,
    eventTimestamp: new Date(),
    results: results.map((result) => ({
      taskRunExternalId: result.taskId,
      taskName: result.stepName,
      jobRunId: result.taskId,
      error: result.error === null ? (result.output === null ? '' : undefined) : toldError(result.error),
      output: result.output ?? undefined,
    })),
  };
}
