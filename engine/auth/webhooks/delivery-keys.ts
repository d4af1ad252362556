import { createHash } from 'node:crypto';
import { svixId, type Headers } from './signature-schemes.ts';
import { toleranceMs } from './signed-time.ts';
import type { Webhook, WebhookSource } from './webhook.ts';

/** By what a delivery is known again, and for how long. */
export interface DeliveryKey {
  /** 128 bits of a hash, as a UUID. */
  key: string;
  forMs: number;
}

/** Senders that repeat a delivery under its id do so for hours; most give up within a day. */
const idMs = 24 * 3_600_000;
/** A signed time may be as much ahead as behind, and clocks of engines differ. */
const timedMs = 3 * toleranceMs;
/** Without a signed time the same text may be meant twice. */
const untimedMs = 5 * 60_000;
const longestId = 200;

/** Header of the sender's own id of a delivery. Not signed: a sender is held to its signature as well. */
const idHeaders: Partial<Record<WebhookSource, string>> = { GITHUB: 'x-github-delivery', LINEAR: 'linear-delivery' };

/**
 * What two deliveries have in common if one is the other's repetition: the sender's id of it, where it is signed or
 * comes with a signature, and the signature, where no id is signed. None where a password came with it: whoever has that
 * may send what they like, as often as they like.
 */
export function deliveryKeys(
  { source }: Pick<Webhook, 'source'>,
  request: { headers: Headers; signature: string | undefined; value: Readonly<Record<string, unknown>> },
): DeliveryKey[] {
  const { headers, signature, value } = request;
  const header = idHeaders[source];
  const unsigned = header === undefined ? undefined : usable(headers[header]);
  const keys = unsigned === undefined ? [] : [{ key: hashed(`id ${unsigned}`), forMs: idMs }];
  if (signature === undefined) return keys;
  const signedId =
    source === 'SVIX'
      ? svixId(headers)
      : source === 'STRIPE'
        ? usable(value['id'])
        : source === 'SLACK'
          ? usable(value['event_id'])
          : undefined;
  if (signedId !== undefined) return [{ key: hashed(`id ${signedId}`), forMs: idMs }];
  return [
    ...keys,
    { key: hashed(`signature ${signature}`), forMs: source === 'GENERIC' || source === 'GITHUB' ? untimedMs : timedMs },
  ];
}

function usable(id: unknown): string | undefined {
  return typeof id === 'string' && id !== '' && id.length <= longestId ? id : undefined;
}

function hashed(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}
