import type { Sql } from '../../postgres/sql-client.ts';
import { noFacts } from '../../plan/commands/loaded-facts.ts';
import type { Asking } from './command-needs.ts';

export const readDeliveries = {
  name: 'webhook_deliveries',
  text: `
    SELECT u.at, d.event_id FROM unnest($1::integer[], $2::uuid[], $3::uuid[], $4::bigint[]) AS u (at, webhook_id, key, now_us)
    JOIN webhook_delivery d ON d.webhook_id = u.webhook_id AND d.key = u.key AND d.expires_us > u.now_us`,
};

/** By the event that a webhook's delivery brings: the one that the delivery has become already. */
export async function loadDeliveries(client: Sql, asking: readonly Asking[]): Promise<ReadonlyMap<string, string>> {
  const deliveries = asking.flatMap(({ needs }) => needs.deliveries ?? []);
  if (deliveries.length === 0) return noFacts.deliveredAs;
  const asked = deliveries.flatMap(({ delivery: { webhookId, nowUs, keys } }, at) =>
    keys.map(({ key }) => ({ at, webhookId, key, nowUs })),
  );
  const { rows } = await client.query<{ at: number; event_id: string }>({
    ...readDeliveries,
    values: [
      asked.map(({ at }) => at),
      asked.map(({ webhookId }) => webhookId),
      asked.map(({ key }) => key),
      asked.map(({ nowUs }) => nowUs),
    ],
  });
  const found = new Map<string, string>();
  for (const { at, event_id } of rows) {
    const eventId = deliveries[at]?.eventId;
    if (eventId !== undefined) found.set(eventId, event_id);
  }
  return found;
}
