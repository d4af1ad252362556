import type { Logger } from '../../base/log.ts';
import type { Caller } from '../../edge/access/caller.ts';
import type { DurableRequests, DurableResponses } from '../../../proto/gen/hatchet/session/v1/session.ts';
import type { DurableResponse } from '../durable/durable-stream.ts';
import type { ServedDurableStream } from '../durable/open-durable-stream.ts';
import { toServiceError } from '../service-error.ts';

/** @param out fail: it has ended */
export type OpenDurableStream = (out: {
  write: (response: DurableResponse) => void;
  fail: (error: unknown) => void;
}) => ServedDurableStream;

interface Ports {
  /** How they are opened, and that they may be used. @throws HatchetError PERMISSION_DENIED */
  open(caller: Caller): OpenDurableStream;
  /** Adds to what the program is told next. */
  tell(weight: number, tell: (durable: DurableResponses[]) => void): void;
  log: Logger;
}

/** The durable streams of a session's workers. They outlive the session's streams, and end with the session. */
export class DurableStreams {
  readonly #ports: Ports;
  readonly #byWorker = new Map<string, ServedDurableStream>();

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /**
   * What a frame has for them, in its order.
   * @returns resolves once each message is carried out or refused; undefined where there is none
   */
  take(frame: readonly DurableRequests[], caller: Caller): Promise<void> | undefined {
    if (frame.length === 0) return undefined;
    let open: OpenDurableStream;
    try {
      open = this.#ports.open(caller);
    } catch (error) {
      for (const { workerId } of frame) this.#fail(workerId, error);
      return undefined;
    }
    return new Promise((resolve) => {
      let left = 1;
      const settled = (): void => {
        if (--left === 0) resolve();
      };
      for (const { workerId, requests, ends } of frame) {
        for (const request of requests) {
          if (request.message?.$case === 'registerWorker') this.#open(workerId, open);
          const stream = this.#byWorker.get(workerId);
          if (stream === undefined) continue; // it has ended, and its worker is told so
          left++;
          stream.handle(request, settled);
        }
        if (ends) this.#end(workerId);
      }
      settled();
    });
  }

  /** Their session is over. */
  end(): void {
    for (const workerId of this.#byWorker.keys()) this.#end(workerId);
  }

  #open(workerId: string, open: OpenDurableStream): void {
    this.#end(workerId);
    const isThis = (): boolean => this.#byWorker.get(workerId) === stream;
    const stream: ServedDurableStream = open({
      write: (message) => {
        if (isThis()) this.#write(workerId, message);
      },
      fail: (error) => {
        if (isThis()) this.#fail(workerId, error);
      },
    });
    this.#byWorker.set(workerId, stream);
  }

  #fail(workerId: string, error: unknown): void {
    this.#end(workerId);
    const { code, details } = toServiceError(error, this.#ports.log);
    this.#ports.tell(100, (durable) => Object.assign(toldOf(durable, workerId), { status: code, details }));
  }

  #write(workerId: string, message: DurableResponse): void {
    this.#ports.tell(weightOf(message), (durable) => void toldOf(durable, workerId).responses.push({ message }));
  }

  #end(workerId: string): void {
    const stream = this.#byWorker.get(workerId);
    this.#byWorker.delete(workerId);
    stream?.end();
  }
}

/** Where the next message for the worker stands: behind the last one. */
function toldOf(durable: DurableResponses[], workerId: string): DurableResponses {
  const last = durable.findLast((each) => each.workerId === workerId);
  if (last !== undefined && last.status === undefined) return last;
  const next: DurableResponses = { workerId, responses: [], details: '' };
  durable.push(next);
  return next;
}

/** About its bytes. */
function weightOf(message: DurableResponse): number {
  switch (message.$case) {
    case 'entryCompleted':
      return 120 + message.value.payload.length + (message.value.errorMessage?.length ?? 0);
    case 'memoAck':
      return 80 + (message.value.memoResultPayload?.length ?? 0);
    case 'triggerRunsAck':
      return 80 + 60 * message.value.runEntries.length;
    case 'error':
      return 120 + message.value.errorMessage.length;
    default:
      return 80;
  }
}
