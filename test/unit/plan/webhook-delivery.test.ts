import { expect, it } from 'vitest';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { ChangeSet } from '../../../engine/plan/state/change-set.ts';
import type { WebhookDelivery } from '../../../engine/plan/commands/command-kind.ts';
import { planCommand } from '../../../engine/plan/commands/command.ts';
import { noFacts } from '../../../engine/plan/commands/loaded-facts.ts';
import type { PushedEvent } from '../../../engine/plan/commands/events/push-event.ts';
import { ShardState } from '../../../engine/plan/state/shard-state.ts';
import { newTenantId } from '../../../engine/model/ids/tenant-id.ts';

const [webhookId, tenantId] = [newId(), newTenantId()];
const delivery = (...keys: string[]): WebhookDelivery => ({
  webhookId,
  nowUs: 1,
  keys: keys.map((key) => ({ key, expiresUs: 9 })),
});
const event = (options: Partial<PushedEvent> = {}): PushedEvent => ({
  id: newId(),
  key: 'k',
  scope: null,
  payload: '{}',
  metadata: '{}',
  runs: [],
  ...options,
});

function plan(events: readonly PushedEvent[], deliveredAs = new Map<string, string>()) {
  const changes = new ChangeSet();
  const state = new ShardState({ id: 1, epoch: 1, lastTransaction: 0, seq: 0, lostUs: 0 });
  const ids = events.flatMap(
    (each) =>
      planCommand<'pushEvent'>(
        { state, nowUs: 1, changes },
        { kind: 'pushEvent', tenantId, events: [each] },
        { ...noFacts, deliveredAs },
      ).ids,
  );
  return { changes, ids };
}

it('is an event once in a batch, by any of its keys, and the others learn which', () => {
  const [first, same, resigned, other] = [
    event({ delivery: delivery('a', 'b') }),
    event({ delivery: delivery('a', 'b') }),
    event({ delivery: delivery('c', 'b') }),
    event({ delivery: delivery('c') }),
  ];
  const { changes, ids } = plan([first, same, resigned, other, event(), event()]);
  expect(changes.events.map(({ id }) => id).slice(0, 2)).toEqual([first.id, other.id]);
  expect(changes.events).toHaveLength(4);
  expect(ids.slice(0, 4)).toEqual([first.id, first.id, first.id, other.id]);
  expect(changes.deliveries.map(({ key, eventId }) => [key, eventId])).toEqual([
    ['a', first.id],
    ['b', first.id],
    ['c', other.id],
  ]);
});

it('is none where the loader found it', () => {
  const found = newId();
  const again = event({ delivery: delivery('a') });
  const { changes, ids } = plan([again], new Map([[again.id, found]]));
  expect([changes.isEmpty, ids]).toEqual([true, [found]]);
});

it('of another webhook it is another', () => {
  expect(
    plan([event({ delivery: delivery('a') }), event({ delivery: { ...delivery('a'), webhookId: newId() } })]).changes
      .events,
  ).toHaveLength(2);
});
