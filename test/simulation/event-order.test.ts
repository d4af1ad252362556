import { describe, expect, it } from 'vitest';
import { EntryKind } from '../../engine/model/durable/durable.ts';
import { newId } from '../../engine/model/ids/uuid.ts';
import { startUs, StoreMachineByHand } from '../helpers/store-machine-by-hand.ts';
import { EventOrder } from './event-order.ts';
import { SimulatedStore } from './store/store.ts';

const [taskId, tenantId] = [newId(), newId()];
const place = { task_id: taskId, branch: 1, node: 1 };

type Row = ['durable_entry' | 'durable_result' | 'event', Readonly<Record<string, unknown>>];

const wait: Row = [
  'durable_entry',
  { ...place, kind: EntryKind.Wait, fingerprint: 'f', asked: '{}', invocation: 1, seq: 2, child_run_id: null },
];

function event(number: number, key = 'a'): Row {
  const payload = `{"n":${number}}`;
  return ['event', { id: newId(), tenant_id: tenantId, key, scope: null, payload, metadata: '{}', webhook_name: null }];
}

function given(number: number): Row {
  const payload = `{"CREATE":{"p":[{"n":${number}}]}}`;
  return ['durable_result', { ...place, condition: -1, seq: 3, status: 3, payload, generation: null }];
}

/** @param transactions one after the other, each after which an engine looks. @returns what is wrong after the last */
function verdict(...transactions: readonly (readonly Row[])[]): string | undefined {
  const store = new SimulatedStore({ machine: new StoreMachineByHand() });
  const ids = { task_id: taskId, run_id: newId(), tenant_id: tenantId, version_id: newId() };
  const numbers = { shard: 1, step: 0, state: 0, flags: 0, priority: 1, generation: 1, attempt: 0, retries: 0 };
  const none = { reassigns: 0, seq: 1, due_us: 0, worker_id: null, demands: null, invocation: 1, batch_id: null };
  store.put('live', { ...ids, ...numbers, ...none });
  const order = new EventOrder({ store, storeUs: startUs });
  let last: string | undefined;
  for (const rows of transactions) {
    store.change((transaction) => {
      for (const [table, row] of rows) store.tables[table].insert(transaction, row);
    });
    // Another engine, which stored something else, looks before the one that is told of this transaction.
    expect(order.look([])).toBeUndefined();
    last = order.look(rows.some(([table]) => table !== 'event') ? [{ taskId }] : []);
  }
  return last;
}

describe('the judge of what durable waits are given', () => {
  it('wants the first event of the key that was stored after the wait', () => {
    expect(verdict([event(0)], [wait], [event(1, 'b')], [event(2), given(2)])).toBeUndefined();
    expect(verdict([wait], [event(0)], [event(1)], [given(0)])).toBeUndefined();
  });

  it('says so where the event was there before', () => {
    expect(verdict([event(0)], [wait], [given(0)])).toContain('that event was stored before the node');
  });

  it('says so where another event of the key came before', () => {
    expect(verdict([wait], [event(0)], [event(1)], [given(1)])).toContain('event 0 of the key came before');
  });

  it('takes either order of one transaction for right, whoever looks before it is told', () => {
    expect(verdict([event(0), wait, given(0)])).toBeUndefined();
    expect(verdict([wait], [event(0), event(1), given(1)])).toBeUndefined();
  });

  it('says so where it cannot tell which event it was', () => {
    expect(verdict([event(0)], [wait], [event(0), given(0)])).toContain('there are two events of that number');
    expect(verdict([wait], [given(0)])).toContain('there is no such event');
  });
});
