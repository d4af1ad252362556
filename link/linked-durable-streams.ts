import type { DurableTaskRequest, DurableTaskResponse } from '../proto/gen/hatchet/contract/v1/dispatcher.ts';
import type { DurableResponses } from '../proto/gen/hatchet/session/v1/session.ts';
import { serviceError } from './service-error.ts';

export type DurableRequest = NonNullable<DurableTaskRequest['message']>;
export type DurableMessage = NonNullable<DurableTaskResponse['message']>;

/** Whose durable stream goes by a link. */
export interface DurableListener {
  onMessage(message: DurableMessage): void;
  /** The link is cut: what is said now may wait for long. */
  onCut(): void;
  /** The link is back, and nothing of the stream is lost. */
  onResumed(): void;
  /** As if the contract's stream broke: of what was sent and is not answered nobody knows. */
  onEnded(error: unknown): void;
}

/** A worker's durable stream, by a link. */
export interface LinkedDurableStream {
  send(message: DurableRequest): void;
  /** Nothing more is told of it. */
  end(): void;
}

/** What a stream needs of the link that carries it. */
interface Carrier {
  post(workerId: string, message: DurableRequest | undefined): void;
  /** No stream may be left. */
  left(): void;
}

/** The durable streams of a program's workers that go by its link. */
export class LinkedDurableStreams {
  readonly #carrier: Carrier;
  readonly #byWorker = new Map<string, DurableListener>();

  constructor(carrier: Carrier) {
    this.#carrier = carrier;
  }

  get size(): number {
    return this.#byWorker.size;
  }

  has(workerId: string): boolean {
    return this.#byWorker.has(workerId);
  }

  open(workerId: string, listener: DurableListener): LinkedDurableStream {
    this.#byWorker.set(workerId, listener);
    const isOpen = (): boolean => this.#byWorker.get(workerId) === listener;
    return {
      send: (message) => {
        if (isOpen()) this.#carrier.post(workerId, message);
      },
      end: () => {
        if (!isOpen()) return;
        this.#carrier.post(workerId, undefined);
        this.#byWorker.delete(workerId);
        this.#carrier.left();
      },
    };
  }

  take(responses: readonly DurableResponses[]): void {
    for (const { workerId, responses: messages, status, details } of responses) {
      const listener = this.#byWorker.get(workerId);
      for (const { message } of messages) {
        if (this.#byWorker.get(workerId) !== listener) break; // it was ended by what it was told
        if (message !== undefined) listener?.onMessage(message);
      }
      if (status === undefined || listener === undefined || this.#byWorker.get(workerId) !== listener) continue;
      this.#byWorker.delete(workerId);
      listener.onEnded(serviceError({ code: status, details }));
    }
  }

  cut(): void {
    for (const listener of this.#byWorker.values()) listener.onCut();
  }

  resumed(): void {
    for (const listener of this.#byWorker.values()) listener.onResumed();
  }

  /** The engine's end of the session is forgotten, or the link carries none any more. */
  lose(error: unknown): void {
    const listeners = [...this.#byWorker.values()];
    this.#byWorker.clear();
    for (const listener of listeners) listener.onEnded(error);
  }
}
