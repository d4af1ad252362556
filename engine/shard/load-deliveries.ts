import type { ClientBase } from 'pg';
import type { Job } from './job.ts';

const readDeliveries = {
  name: 'webhook_deliveries',
  text: `
    SELECT u.at, d.event_id FROM unnest($1::integer[], $2::uuid[], $3::uuid[], $4::bigint[]) AS u (at, webhook_id, key, now_us)
    JOIN webhook_delivery d ON d.webhook_id = u.webhook_id AND d.key = u.key AND d.expires_us > u.now_us`,
};

/** Which of the webhooks' deliveries have become events already. What an earlier try found does not count. */
export async function loadDeliveries(client: ClientBase, jobs: readonly Job[]): Promise<void> {
  const deliveries = jobs.flatMap(({ command }) =>
    command.kind === 'pushEvent'
      ? command.events.flatMap(({ delivery }) => (delivery === undefined ? [] : [delivery]))
      : [],
  );
  if (deliveries.length === 0) return;
  for (const delivery of deliveries) delivery.firstEventId = null;
  const asked = deliveries.flatMap(({ webhookId, nowUs, keys }, at) =>
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
  for (const { at, event_id } of rows) {
    const delivery = deliveries[at];
    if (delivery !== undefined) delivery.firstEventId = event_id;
  }
}
