import type { WebhookDeliveryRow } from '../../model/stored-rows.ts';
import { plainArray } from '../array-literal.ts';
import type { Statement } from '../statement.ts';

/** One that has run out and is not dropped yet is taken over. */
export const writeDeliveries: Statement<WebhookDeliveryRow> = {
  name: 'write_deliveries',
  text: `
    INSERT INTO webhook_delivery (webhook_id, key, event_id, expires_us)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[])
    ON CONFLICT (webhook_id, key) DO UPDATE SET event_id = excluded.event_id, expires_us = excluded.expires_us`,
  values: (rows) => [
    plainArray(rows.map((row) => row.webhookId)),
    plainArray(rows.map((row) => row.key)),
    plainArray(rows.map((row) => row.eventId)),
    plainArray(rows.map((row) => row.expiresUs)),
  ],
};
