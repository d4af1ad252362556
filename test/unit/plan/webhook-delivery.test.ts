import { expect, it } from 'vitest';
import { newId } from '../../../engine/model/uuid.ts';
import { ChangeSet } from '../../../engine/plan/state/change-set.ts';
import type { Delivery, PushedEvent } from '../../../engine/plan/commands/command.ts';
import { planPushEvent } from '../../../engine/plan/commands/push-event.ts';
import { ShardState } from '../../../engine/plan/state/shard-state.ts';

const [webhookId, tenantId] = [newId(), newId()];
const delivery = (...keys: string[]): Delivery => ({
  webhookId,
  nowUs: 1,
  keys: keys.map((key) => ({ key, expiresUs: 9 })),
  firstEventId: null,
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

function plan(...events: PushedEvent[]): ChangeSet {
  const changes = new ChangeSet();
  const state = new ShardState({ id: 1, epoch: 1, lastBatch: 0, seq: 0, lostUs: 0 });
  for (const each of events)
    planPushEvent({ state, nowUs: 1, changes }, { kind: 'pushEvent', tenantId, events: [each], existing: new Set() });
  return changes;
}

it('is an event once in a batch, by any of its keys, and the others learn which', () => {
  const [first, same, resigned, other] = [
    event({ delivery: delivery('a', 'b') }),
    event({ delivery: delivery('a', 'b') }),
    event({ delivery: delivery('c', 'b') }),
    event({ delivery: delivery('c') }),
  ];
  const changes = plan(first, same, resigned, other, event(), event());
  expect(changes.events.map(({ id }) => id).slice(0, 2)).toEqual([first.id, other.id]);
  expect(changes.events).toHaveLength(4);
  expect([first, same, resigned, other].map((each) => each.delivery?.firstEventId)).toEqual([
    null,
    first.id,
    first.id,
    null,
  ]);
  expect(changes.deliveries.map(({ key, eventId }) => [key, eventId])).toEqual([
    ['a', first.id],
    ['b', first.id],
    ['c', other.id],
  ]);
});

it('is none where the loader found it', () => {
  const found = newId();
  const again = event({ delivery: { ...delivery('a'), firstEventId: found } });
  const changes = plan(again);
  expect([changes.isEmpty, again.delivery?.firstEventId]).toEqual([true, found]);
});

it('of another webhook it is another', () => {
  expect(
    plan(event({ delivery: delivery('a') }), event({ delivery: { ...delivery('a'), webhookId: newId() } })).events,
  ).toHaveLength(2);
});
