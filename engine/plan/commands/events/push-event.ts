import { HatchetError } from '../../../base/errors.ts';
import { CelVariables } from '../../../cel/cel-variables.ts';
import type { CelResult } from '../../../cel/cel-result.ts';
import { meetEvent } from '../../conditions/meet-event.ts';
import { durableExpressions, meetDurableEvent } from '../../durable/meet-durable-event.ts';
import { newWaking } from '../../state/event-wakings.ts';
import { stepExpressions } from '../../conditions/step-expressions.ts';
import { startRun } from '../../lifecycle/start-run.ts';
import type { TriggerRun } from '../../../model/task/trigger-run.ts';
import type { Plan } from '../../state/plan.ts';
import { deliveredBefore } from './delivered-before.ts';
import type { Facts } from '../loaded-facts.ts';
import { inParts, tasksOf, visitRun, type WebhookDelivery, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

/** A run that an event starts, and the filter that lets it. */
export interface EventRun {
  run: TriggerRun;
  filterId: string | null;
}
export interface PushedEvent {
  id: string;
  key: string;
  scope: string | null;
  /** JSON. */
  payload: string;
  /** JSON object. */
  metadata: string;
  runs: readonly EventRun[];
  /** The webhook that it came by. */
  webhookName?: string | null | undefined;
  delivery?: WebhookDelivery | undefined;
}
/**
 * Events with all that they cause: their runs, and the conditions that they meet. Where an event would meet too much for one
 * transaction, what waits for it is woken by `wakeByEvent`, in later ones.
 */
export interface PushEventCommand {
  kind: 'pushEvent';
  tenantId: TenantId;
  events: readonly PushedEvent[];
}
export interface PushEventReply {
  /** For each, the event that is stored: another one where it came by a delivery that has become an event before. */
  ids: readonly string[];
}

export const pushEvent: Kind<PushEventCommand, PushEventReply> = {
  makesRowsOf: ({ tenantId }) => tenantId,
  needs: ({ tenantId, events }, { isUncertain }) => ({
    // Events' ids are the engine's own: only an uncertain try can have stored them.
    eventIds: isUncertain ? events.map(({ id }) => id) : [],
    events: events.map(({ id, key, scope, payload }) => ({ tenantId, id, key, scope, payload })),
    deliveries: events.flatMap(({ id, delivery }) => (delivery === undefined ? [] : [{ eventId: id, delivery }])),
    expressions: (state, { wakeLater }) =>
      events
        .filter(({ id }) => !wakeLater.has(id))
        .map(({ id, key, payload }) => ({
          place: id,
          expressions: [
            ...stepExpressions(state, tenantId, key),
            ...durableExpressions(state.durable, { tenantId, key }),
          ],
          variables: new CelVariables({ input: payload }),
        })),
  }),
  startsRuns: runsOf,
  payloads(command, visit) {
    for (const { payload, metadata } of command.events) {
      visit(payload);
      visit(metadata);
    }
    for (const run of runsOf(command)) visitRun(run, visit);
  },
  weight: ({ events }) => events.reduce((sum, event) => sum + rowsOf(event), 0),
  split: {
    into: (command) => inParts(command.events, rowsOf).map((events) => ({ ...command, events })),
    join: (replies) => ({ ids: replies.flatMap(({ ids }) => ids) }),
  },
  plan: push,
};

const nothing: ReadonlyMap<string, CelResult> = new Map();

function runsOf({ events }: PushEventCommand): TriggerRun[] {
  return events.flatMap(({ runs }) => runs.map(({ run }) => run));
}

function rowsOf({ runs }: PushedEvent): number {
  return 1 + tasksOf(runs.map(({ run }) => run));
}

function push(plan: Plan, command: PushEventCommand, facts: Facts): PushEventReply {
  return { ids: command.events.map((event) => pushOne(plan, command.tenantId, event, facts)) };
}

function pushOne(plan: Plan, tenantId: TenantId, event: PushedEvent, facts: Facts): string {
  const before = facts.storedIds.has(event.id) ? event.id : deliveredBefore(plan, event, facts);
  if (before !== undefined) return before;
  const { id, key, scope, payload, metadata, delivery } = event;
  for (const { key: deliveryKey, expiresUs } of delivery?.keys ?? [])
    plan.changes.deliveries.push({ webhookId: delivery?.webhookId ?? '', key: deliveryKey, eventId: id, expiresUs });
  plan.changes.events.push({ id, tenantId, key, scope, payload, metadata, webhookName: event.webhookName ?? null });
  for (const { run, filterId } of event.runs) {
    if (startRun(plan, tenantId, run) !== undefined) continue; // dropped in silence: the event is no caller to be told
    plan.changes.eventRuns.push({ eventId: id, runId: run.runId, filterId });
  }
  const meetable = { tenantId, key, scope, payload, evaluated: facts.evaluated.get(id) ?? nothing };
  // One that still wakes others by this key goes first.
  const mayMeet = !facts.wakeLater.has(id) && !plan.state.wakings.has(tenantId, key);
  if (mayMeet && meetEvent(plan, meetable)) meetDurableEvent(plan, meetable);
  else wakeLater(plan, tenantId, event);
  return id;
}

/** @throws HatchetError BUSY */
function wakeLater({ state, changes, nowUs }: Plan, tenantId: TenantId, { id, key }: PushedEvent): void {
  const pending = state.wakings.count(tenantId);
  if (pending >= state.wakingLimits.pending)
    throw new HatchetError('BUSY', `${pending} events of the tenant have still to wake what waits for them`, {
      remedy: 'Slow down and try again.',
    });
  const waking = { eventId: id, tenantId, key, seq: state.nextSeq(nowUs) };
  state.wakings.add(newWaking(waking), state.undo);
  changes.wakings.push({ shard: state.id, ...waking });
}
