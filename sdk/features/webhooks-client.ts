import type { Connection } from '../connection/connection.ts';
import { callRest } from '../connection/rest.ts';
import type { ResourceMetadata } from './resource.ts';

export type WebhookSource = 'GENERIC' | 'GITHUB' | 'STRIPE' | 'SLACK' | 'LINEAR' | 'SVIX';

/** A user name and a password, as HTTP's basic authentication sends them. */
export interface WebhookBasicAuth {
  username: string;
  password: string;
}

/** A key that the sender puts into a header. */
export interface WebhookApiKeyAuth {
  headerName: string;
  apiKey: string;
}

/** A signature of the body that the sender puts into a header. */
export interface WebhookHmacAuth {
  algorithm: 'SHA1' | 'SHA256' | 'SHA512' | 'MD5';
  encoding: 'HEX' | 'BASE64' | 'BASE64URL';
  signatureHeaderName: string;
  signingSecret: string;
}

export type WebhookAuth = WebhookBasicAuth | WebhookApiKeyAuth | WebhookHmacAuth;

/** What can be changed of a webhook. */
export interface WebhookChange {
  /** CEL over `input` (the body) and `headers`; it gives the event's key. */
  eventKeyExpression?: string | undefined;
  /** CEL that gives the event's scope. An empty one removes it. */
  scopeExpression?: string | undefined;
  /** Values that win over those of the body. An empty object removes it. */
  staticPayload?: object | undefined;
  /** Whether the sender is answered with the event. @default false */
  returnEventAsResponsePayload?: boolean | undefined;
}

export interface CreateWebhook extends WebhookChange {
  /** Unique; the last part of the address. Letters, digits, `.`, `_` and `-`. */
  name: string;
  sourceName: WebhookSource;
  eventKeyExpression: string;
  /** What requests are checked against. */
  auth: WebhookAuth;
}

/** A webhook, without its secret. */
export interface Webhook {
  metadata: ResourceMetadata;
  tenantId: string;
  name: string;
  sourceName: WebhookSource;
  authType: 'BASIC' | 'API_KEY' | 'HMAC';
  eventKeyExpression: string;
  scopeExpression?: string;
  staticPayload?: object;
  returnEventAsResponsePayload?: boolean;
  /** Why the newest refused request was refused; a Hatchet cluster does not say it. */
  lastError?: string;
  lastErrorAt?: string;
}

/** Addresses to which others post; what they post becomes events. `hatchet.webhooks`. */
export class WebhooksClient {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** @throws HatchetError INVALID_ARGUMENT for a taken name, a bad expression, or credentials that the source does not use */
  async create(webhook: CreateWebhook): Promise<Webhook> {
    return callRest<Webhook>(this.#connection.config, 'POST', this.#path(), {
      body: { ...webhook, authType: authTypeOf(webhook.auth) },
    });
  }

  /** By name. @throws HatchetError */
  async list(
    query: {
      limit?: number;
      offset?: number;
      webhookNames?: readonly string[];
      sourceNames?: readonly WebhookSource[];
    } = {},
  ): Promise<{ rows?: Webhook[] }> {
    return callRest(this.#connection.config, 'GET', this.#path(), { query });
  }

  /** @throws HatchetError UNKNOWN_RUN */
  async get(name: string): Promise<Webhook> {
    return callRest<Webhook>(this.#connection.config, 'GET', this.#path(name));
  }

  /** Its name, source and credentials stay: for others, delete it and create it anew. @throws HatchetError UNKNOWN_RUN, INVALID_ARGUMENT */
  async update(name: string, change: WebhookChange = {}): Promise<Webhook> {
    return callRest<Webhook>(this.#connection.config, 'PATCH', this.#path(name), { body: change });
  }

  /** @throws HatchetError UNKNOWN_RUN */
  async delete(name: string): Promise<Webhook> {
    return callRest<Webhook>(this.#connection.config, 'DELETE', this.#path(name));
  }

  /** The address to give to the sender, under the REST API's as this client sees it. */
  url(name: string): string {
    return `${this.#connection.config.apiUrl}${this.#path(name)}`;
  }

  #path(name?: string): string {
    const base = `/api/v1/stable/tenants/${this.#connection.config.tenantId}/webhooks`;
    return name === undefined ? base : `${base}/${encodeURIComponent(name)}`;
  }
}

function authTypeOf(auth: WebhookAuth): Webhook['authType'] {
  if ('signingSecret' in auth) return 'HMAC';
  return 'apiKey' in auth ? 'API_KEY' : 'BASIC';
}
