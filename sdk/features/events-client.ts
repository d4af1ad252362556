import type { Event, PushEventRequest } from '../../proto/gen/hatchet/contract/events.ts';
import { applyNamespace } from '../config/client-config.ts';
import { toHatchetError } from '../connection/call-error.ts';
import type { Connection } from '../connection/connection.ts';
import { callUnary } from '../connection/unary.ts';
import type { Priority } from '../run/run-options.ts';

export interface PushEventOptions {
  /** Inherited by the runs that it starts. */
  additionalMetadata?: Readonly<Record<string, string>> | undefined;
  priority?: Priority | undefined;
  /** For filters and waits of this scope. */
  scope?: string | undefined;
}

export interface BulkEvent extends PushEventOptions {
  payload: object;
}

/** A pushed event. */
export type PushedEvent = Pick<Event, 'eventId' | 'key' | 'payload' | 'scope'>;

/** Pushes events: they start the workflows that listen for them, and end waits. */
export class EventsClient {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** @throws HatchetError INVALID_ARGUMENT, PAYLOAD_TOO_LARGE, UNREACHABLE */
  async push(key: string, payload: object, options: PushEventOptions = {}): Promise<PushedEvent> {
    const { events } = this.#connection;
    try {
      return await callUnary(this.#connection, events.push.bind(events), this.#request(key, { payload, ...options }));
    } catch (error) {
      throw toHatchetError(error, `push the event ${key}`);
    }
  }

  /** Up to 1000 events of one key, in one transaction. @throws as push */
  async bulkPush(key: string, items: readonly BulkEvent[], options: PushEventOptions = {}): Promise<{ events: PushedEvent[] }> {
    const { events } = this.#connection;
    const request = { events: items.map((item) => this.#request(key, { ...options, ...item })) };
    try {
      return await callUnary(this.#connection, events.bulkPush.bind(events), request);
    } catch (error) {
      throw toHatchetError(error, `push ${items.length} events ${key}`);
    }
  }

  #request(key: string, event: BulkEvent): PushEventRequest {
    return {
      key: applyNamespace(key, this.#connection.config.namespace),
      payload: JSON.stringify(event.payload),
      eventTimestamp: new Date(),
      additionalMetadata: event.additionalMetadata === undefined ? undefined : JSON.stringify(event.additionalMetadata),
      priority: event.priority,
      scope: event.scope,
    };
  }
}
