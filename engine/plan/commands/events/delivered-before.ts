import type { Plan } from '../../state/plan.ts';
import type { Facts } from '../loaded-facts.ts';
import type { WebhookDelivery } from '../command-kind.ts';

/** The event that a webhook's delivery has become already, be it by an earlier command of the transaction. */
export function deliveredBefore(
  { changes }: Plan,
  { id, delivery }: { id: string; delivery?: WebhookDelivery | undefined },
  facts: Facts,
): string | undefined {
  if (delivery === undefined) return undefined;
  const { webhookId, keys } = delivery;
  return (
    facts.deliveredAs.get(id) ??
    changes.deliveries.find((row) => row.webhookId === webhookId && keys.some(({ key }) => key === row.key))?.eventId
  );
}
