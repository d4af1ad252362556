import type { PushedEvent, PushEventCommand } from './command.ts';
import { meetDurableEvent } from '../durable/durable-event.ts';
import { meetEvent } from '../conditions/meet-event.ts';
import type { Plan } from '../state/plan.ts';
import { startRun } from './trigger.ts';

/** An event with all that it causes: its runs, and the conditions that it meets. One transaction, or none of it. */
export function planPushEvent(plan: Plan, command: PushEventCommand): void {
  const { tenantId } = command;
  for (const event of command.events) {
    if (command.existing.has(event.id) || wasDelivered(plan, event)) continue;
    const { id, key, scope, payload, metadata } = event;
    plan.changes.events.push({ id, tenantId, key, scope, payload, metadata, webhookName: event.webhookName ?? null });
    for (const { run, filterId } of event.runs) {
      if (startRun(plan, tenantId, run) !== undefined) continue; // dropped in silence: the event is no caller to be told
      plan.changes.eventRuns.push({ eventId: id, runId: run.runId, filterId });
    }
    const meetable = { tenantId, key, scope, payload, evaluated: event.evaluated ?? new Map() };
    meetEvent(plan, meetable);
    meetDurableEvent(plan, meetable);
  }
}

/** Whether a webhook's delivery is an event already, be it by an earlier command of the batch. If not, it is one from now on. */
function wasDelivered({ changes }: Plan, { id, delivery }: PushedEvent): boolean {
  if (delivery === undefined) return false;
  const { webhookId, keys } = delivery;
  delivery.firstEventId ??=
    changes.deliveries.find((row) => row.webhookId === webhookId && keys.some(({ key }) => key === row.key))?.eventId ??
    null;
  if (delivery.firstEventId !== null) return true;
  changes.deliveries.push(...keys.map(({ key, expiresUs }) => ({ webhookId, key, eventId: id, expiresUs })));
  return false;
}
