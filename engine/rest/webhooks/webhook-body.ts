import type { WebhookSource } from '../../auth/webhooks/webhook.ts';
import { HatchetError } from '../../base/errors.ts';
import { checkedJson } from '../../model/payload/check-payload.ts';
import { isObject } from '../../model/payload/is-object.ts';

/** What a request says, as JSON text and as its value. */
export interface WebhookBody {
  text: string;
  value: Record<string, unknown>;
}

const form = 'application/x-www-form-urlencoded';

/**
 * Requests carry JSON, or a form: Slack's interactions and GitHub's deliveries have JSON in its field `payload`, Slack's
 * commands and generic senders the fields themselves, of which the first of a name counts.
 * @throws HatchetError INVALID_ARGUMENT, PAYLOAD_TOO_LARGE
 */
export function webhookBody(source: WebhookSource, contentType: string, body: Buffer): WebhookBody {
  const text = contentType.toLowerCase().startsWith(form) ? formText(source, body.toString()) : body.toString();
  const value = checkedJson(text, 'the body');
  if (!isObject(value))
    throw new HatchetError('INVALID_ARGUMENT', 'the body is not a JSON object', { remedy: 'Send an object.' });
  return { text, value };
}

function formText(source: WebhookSource, text: string): string {
  const fields = new URLSearchParams(text);
  const payload = fields.get('payload');
  if ((source === 'SLACK' || source === 'GITHUB') && payload !== null && payload !== '') return payload;
  if (source !== 'SLACK' && source !== 'GENERIC')
    throw new HatchetError('INVALID_ARGUMENT', `a webhook of source ${source} takes no forms`, {
      remedy: 'Send JSON.',
    });
  return JSON.stringify(Object.fromEntries([...new Set(fields.keys())].map((name) => [name, fields.get(name)])));
}
