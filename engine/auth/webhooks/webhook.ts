import type { SecretDigest } from './secret-digest.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

export const webhookSources = ['GENERIC', 'GITHUB', 'STRIPE', 'SLACK', 'LINEAR', 'SVIX'] as const;
export type WebhookSource = (typeof webhookSources)[number];

export const hmacAlgorithms = ['SHA1', 'SHA256', 'SHA512', 'MD5'] as const;
export type HmacAlgorithm = (typeof hmacAlgorithms)[number];

export const hmacEncodings = ['HEX', 'BASE64', 'BASE64URL'] as const;
export type HmacEncoding = (typeof hmacEncodings)[number];

export interface HmacAuth {
  type: 'HMAC';
  algorithm: HmacAlgorithm;
  encoding: HmacEncoding;
  signatureHeaderName: string;
  signingSecret: string;
}

/** What a request is checked against. What is only compared is kept as a digest. */
export type WebhookAuth =
  | { type: 'BASIC'; username: string; password: SecretDigest }
  | { type: 'API_KEY'; headerName: string; apiKey: SecretDigest }
  | HmacAuth;

/** An address to which others post, and how their requests become events. */
export interface Webhook {
  id: string;
  tenantId: TenantId;
  /** Unique in the tenant; the last part of the address. */
  name: string;
  source: WebhookSource;
  /** CEL over `input` and `headers`. */
  eventKeyExpression: string;
  scopeExpression: string | null;
  /** JSON object whose values win over those of the body. */
  staticPayload: string | null;
  /** Whether the sender is answered with the event. */
  returnsEvent: boolean;
  auth: WebhookAuth;
}

export interface StoredWebhook extends Webhook {
  createdAtMs: number;
  updatedAtMs: number;
  /** Why the newest refused request was refused. */
  lastError: string | null;
  lastErrorAtMs: number | null;
}

/** What a webhook's sealed secret is bound to. */
export function webhookRow(id: string): string {
  return `webhook ${id}`;
}
