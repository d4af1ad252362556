import type { Event, PushEventRequest } from '../../proto/gen/hatchet/contract/events.ts';
import { checkedDate } from '../checked-date.ts';
import { applyNamespace } from '../config/client-config.ts';
import { toHatchetError } from '../connection/call-error.ts';
import type { Connection } from '../connection/connection.ts';
import { callRest } from '../connection/rest.ts';
import { callUnary } from '../connection/repeat-calls.ts';
import { keyOf, type AnyEvent, type EventDeclaration } from '../definition/event.ts';
import { requireJson } from '../json-text.ts';
import { checkInput } from '../run/check-input.ts';
import type { Priority } from '../run/run-options.ts';
import { produced, withCarried, type CarriedContext } from '../tracing.ts';
import { idOf, type ResourceMetadata, type ResourceRef } from './resource.ts';

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

/** An event that the engine keeps, with what became of it. */
export interface StoredEvent {
  metadata: ResourceMetadata;
  key: string;
  scope?: string;
  payload?: object;
  additionalMetadata?: object;
  /** When it was pushed. */
  seenAt?: string;
  /** How many of its runs stand where. */
  workflowRunSummary: { queued: number; running: number; succeeded: number; failed: number; cancelled: number };
  triggeredRuns?: { workflowRunId: string; filterId?: string }[];
  /** The webhook that it came through. */
  triggeringWebhookName?: string;
}

export interface ListEvents {
  keys?: readonly string[] | undefined;
  eventIds?: readonly string[] | undefined;
  scopes?: readonly string[] | undefined;
  since?: Date | undefined;
  until?: Date | undefined;
  additionalMetadata?: Readonly<Record<string, string>> | undefined;
  /** @default 50 */
  limit?: number | undefined;
  /** @default 0 */
  offset?: number | undefined;
}

/** Pushes events: they start the workflows that listen for them, and end waits. Reads what was pushed. */
export class EventsClient {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** An event that `hatchet.event` made. @throws SchemaError for a payload that its schema refuses; as for a key */
  async push<Pushed>(
    event: EventDeclaration<Pushed, unknown>,
    payload: NoInfer<Pushed>,
    options?: PushEventOptions,
  ): Promise<PushedEvent>;
  /** An event of a key. @throws HatchetError INVALID_ARGUMENT, PAYLOAD_TOO_LARGE, UNREACHABLE */
  async push(key: string, payload: object, options?: PushEventOptions): Promise<PushedEvent>;
  async push(event: string | AnyEvent, payload: unknown, options: PushEventOptions = {}): Promise<PushedEvent> {
    const { events, config } = this.#connection;
    const key = keyOf(event);
    const span = () => ({
      name: 'hatchet.push_event',
      facts: { event_key: key, priority: options.priority, scope: options.scope },
      payload,
    });
    return await produced(config.tracing, span, async (carried) => {
      const request = await this.#request(event, { ...options, payload }, carried);
      try {
        return await callUnary(this.#connection, events.push.bind(events), request);
      } catch (error) {
        throw toHatchetError(error, `push the event ${key}`);
      }
    });
  }

  /** Up to 1000 events of one key. Each is stored with the runs that it starts; a call of more than some 50 rows goes in parts. @throws as push */
  async bulkPush<Pushed>(
    event: EventDeclaration<Pushed, unknown>,
    items: readonly (PushEventOptions & { payload: NoInfer<Pushed> })[],
    options?: PushEventOptions,
  ): Promise<{ events: PushedEvent[] }>;
  async bulkPush(
    key: string,
    items: readonly BulkEvent[],
    options?: PushEventOptions,
  ): Promise<{ events: PushedEvent[] }>;
  async bulkPush(
    event: string | AnyEvent,
    items: readonly (PushEventOptions & { payload: unknown })[],
    options: PushEventOptions = {},
  ): Promise<{ events: PushedEvent[] }> {
    const { events, config } = this.#connection;
    const key = keyOf(event);
    const span = () => ({ name: 'hatchet.bulk_push_event', facts: { event_key: key, events: items.length } });
    return await produced(config.tracing, span, async (carried) => {
      const request = {
        events: await Promise.all(
          items.map(async (item) => await this.#request(event, { ...options, ...item }, carried)),
        ),
      };
      try {
        return await callUnary(this.#connection, events.bulkPush.bind(events), request);
      } catch (error) {
        throw toHatchetError(error, `push ${items.length} events ${key}`);
      }
    });
  }

  /** Newest first. @throws HatchetError */
  async list(query: ListEvents = {}): Promise<{ rows?: StoredEvent[] }> {
    const { since, until, additionalMetadata = {}, ...rest } = query;
    const time = (date: Date | undefined, name: string): string | undefined =>
      date === undefined ? undefined : checkedDate(date, name).toISOString();
    const pairs = Object.entries(additionalMetadata).map(([name, value]) => `${name}:${value}`);
    return callRest(this.#connection.config, 'GET', this.#path(), {
      query: { ...rest, since: time(since, 'since'), until: time(until, 'until'), additionalMetadata: pairs },
    });
  }

  /** @throws HatchetError UNKNOWN_RUN */
  async get(event: ResourceRef): Promise<StoredEvent> {
    return callRest<StoredEvent>(this.#connection.config, 'GET', `${this.#path()}/${encodeURIComponent(idOf(event))}`);
  }

  #path(): string {
    return `/api/v1/stable/tenants/${this.#connection.config.tenantId}/events`;
  }

  async #request(
    given: string | AnyEvent,
    event: PushEventOptions & { payload: unknown },
    carried: CarriedContext,
  ): Promise<PushEventRequest> {
    const metadata = withCarried(event.additionalMetadata, carried);
    const key = keyOf(given);
    const what = `the payload of the event ${key}`;
    const json = requireJson(event.payload, what);
    if (typeof given !== 'string' && given.schema !== undefined)
      await checkInput(given.schema, { input: event.payload, json, what });
    return {
      key: applyNamespace(key, this.#connection.config.namespace),
      payload: json,
      eventTimestamp: new Date(),
      additionalMetadata:
        metadata === undefined ? undefined : requireJson(metadata, `the metadata of the event ${key}`),
      priority: event.priority,
      scope: event.scope,
    };
  }
}
