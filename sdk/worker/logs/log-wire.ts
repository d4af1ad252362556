import { status, type ServiceError } from '@grpc/grpc-js';
import { isServiceError, statusOf } from '../../connection/call-error.ts';
import type { Connection } from '../../connection/connection.ts';
import { NotOfferedError } from '../../../link/engine-link.ts';
import { linkOrCall } from '../../connection/link-or-call.ts';
import { callUnary } from '../../connection/repeat-calls.ts';
import type { LogLine } from '../../context/context-host.ts';

/** A line, and whose it is. */
export interface TaskLine extends LogLine {
  readonly taskRunExternalId: string;
  readonly retryCount: number;
}

/** Lines on their way at once, where the engine takes one a call. */
const mostInFlight = 64;

/** For so long lines wait for a link to leave by, before they are offered again. */
const leaveMs = 15_000;

/** Lines that the engine fails to store for a reason of its own are given up after so many tries: they may be the reason. */
export const mostFaults = 10;

/** What became of lines: those that the engine will not take, and why; and those that are to be sent again. */
export interface PutResult {
  readonly refused: { readonly count: number; readonly reason: unknown } | undefined;
  readonly again: readonly TaskLine[];
  readonly failure: unknown;
}

/** Statuses that the engine gives because of what a call holds: the same call gets the same answer. */
const contentRefused: ReadonlySet<status> = new Set([status.INVALID_ARGUMENT, status.OUT_OF_RANGE, status.NOT_FOUND]);

/** Statuses after which lines are given up: this worker may not log, or its tenant has logged enough for today. */
const givenUp: ReadonlySet<status> = new Set([
  status.RESOURCE_EXHAUSTED,
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.UNIMPLEMENTED,
]);

/**
 * How log lines reach the engine: many in a frame, where the engine has sessions; or many in one call, where it offers that. The
 * contract's call takes one line: then lines go out one behind the other on the same connection, without waiting for the
 * answer to each.
 */
export class LogWire {
  readonly #connection: Connection;
  /** Of lines that the engine has failed to store, how often. */
  readonly #faults = new WeakMap<TaskLine, number>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** One try. The lines of a task arrive in their order. */
  async put(lines: readonly TaskLine[], signal: AbortSignal): Promise<PutResult> {
    return await linkOrCall(
      this.#connection,
      () => this.#putByLink(lines, signal),
      () => this.#putByCalls(lines, signal),
    );
  }

  async #putByCalls(lines: readonly TaskLine[], signal: AbortSignal): Promise<PutResult> {
    try {
      if ((await this.#connection.offers.ask({ signal })).logBatches) return await this.#putMany(lines, signal);
    } catch (error) {
      // The word is an older engine's.
      if (statusOf(error) !== status.UNIMPLEMENTED) return { refused: undefined, again: lines, failure: error };
    }
    return await this.#putEach(lines, signal);
  }

  /** Each line is stored or refused for itself. @throws NotOfferedError */
  async #putByLink(lines: readonly TaskLine[], signal: AbortSignal): Promise<PutResult> {
    let refusals: ReadonlyMap<number, unknown>;
    try {
      refusals = await this.#connection.link.logged(lines.map(wireLine), { patienceMs: leaveMs, signal });
    } catch (error) {
      if (error instanceof NotOfferedError) throw error;
      if (isOver(error)) return { refused: { count: lines.length, reason: error }, again: [], failure: undefined };
      return { refused: undefined, again: lines, failure: error };
    }
    if (refusals.size === 0) return taken;
    const again: TaskLine[] = [];
    let refused: PutResult['refused'];
    let failure: unknown;
    for (const [index, line] of lines.entries()) {
      const reason = refusals.get(index);
      if (reason === undefined) continue;
      if (isContent(reason) || isOver(reason) || this.#isAtFault(line, reason))
        refused = sum(refused, { count: 1, reason });
      else {
        failure = reason;
        again.push(line);
      }
    }
    return { refused, again, failure };
  }

  /** Whether the engine has failed so often to store it that it may be the reason itself. */
  #isAtFault(line: TaskLine, reason: unknown): boolean {
    if (statusOf(reason) !== status.INTERNAL) return false;
    const faults = (this.#faults.get(line) ?? 0) + 1;
    this.#faults.set(line, faults);
    return faults >= mostFaults;
  }

  /** @throws the error after which all of the lines are to be sent again */
  async #putMany(lines: readonly TaskLine[], signal: AbortSignal): Promise<PutResult> {
    const { monitor } = this.#connection;
    try {
      await callUnary(this.#connection, monitor.putLogs.bind(monitor), { lines: lines.map(wireLine) }, { signal });
      return taken;
    } catch (error) {
      if (statusOf(error) === status.UNIMPLEMENTED) throw error;
      if (isOver(error) || (isContent(error) && lines.length === 1))
        return { refused: { count: lines.length, reason: error }, again: [], failure: undefined };
      if (!isContent(error)) throw error;
    }
    // None was stored. The one that is at fault is found by halves, and the others do not suffer for it.
    const half = Math.ceil(lines.length / 2);
    const first = await this.put(lines.slice(0, half), signal);
    if (first.again.length > 0) return { ...first, again: [...first.again, ...lines.slice(half)] };
    const second = await this.put(lines.slice(half), signal);
    return { ...second, refused: sum(first.refused, second.refused) };
  }

  async #putEach(lines: readonly TaskLine[], signal: AbortSignal): Promise<PutResult> {
    const { events } = this.#connection;
    const again: { at: number; line: TaskLine }[] = [];
    let refused: PutResult['refused'];
    let failure: unknown;
    let next = 0;
    const send = async (): Promise<void> => {
      while (next < lines.length && failure === undefined) {
        const at = next++;
        const line = lines[at];
        if (line === undefined) return;
        try {
          await callUnary(this.#connection, events.putLog.bind(events), wireLine(line), { signal });
        } catch (error) {
          if (isContent(error) || isOver(error)) refused = sum(refused, { count: 1, reason: error });
          else {
            failure = error;
            again.push({ at, line });
          }
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(mostInFlight, lines.length) }, send));
    const failed = again.sort((one, other) => one.at - other.at).map(({ line }) => line);
    return { refused, again: [...failed, ...lines.slice(next)], failure };
  }
}

const taken: PutResult = { refused: undefined, again: [], failure: undefined };

function wireLine({ at, taskRunExternalId, retryCount, level, message, metadata }: TaskLine): {
  taskRunExternalId: string;
  taskRetryCount: number;
  createdAt: Date;
  level: string;
  message: string;
  metadata: string;
} {
  return { taskRunExternalId, taskRetryCount: retryCount, createdAt: at, level, message, metadata };
}

function sum(one: PutResult['refused'], other: PutResult['refused']): PutResult['refused'] {
  return one === undefined || other === undefined
    ? (one ?? other)
    : { count: one.count + other.count, reason: one.reason };
}

function isContent(error: unknown): boolean {
  const code = statusOf(error);
  return code !== undefined && contentRefused.has(code);
}

function isOver(error: unknown): boolean {
  return isServiceError(error) && givenUp.has(error.code) && !isBusy(error);
}

/** An engine that has too much to write at the moment. */
function isBusy({ metadata }: ServiceError): boolean {
  return metadata.get('hatchet-error-code').includes('BUSY');
}
