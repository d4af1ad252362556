import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createTestEngine } from 'hatchet-ts/testing';

// A real engine with an empty database. The tasks are imported after it: their client finds the engine as it is made.
const engine = await createTestEngine();
const { order } = await import('../src/order.ts');
await engine.worker([order]);
after(() => engine.stop());

test('ships what was charged and packed', async () => {
  const { ship } = await order.run({ customer: 'ada', items: [1200, 350, 80, 99] });
  assert.deepEqual(ship, { message: '2 parcel(s) sent for ada-1729' });
});

test('charges nobody for an order that is too large', async () => {
  const run = await engine.waitForRun(await order.runNoWait({ customer: 'bob', items: [2_000_000] }));
  assert.equal(run.status, 'FAILED');
  assert.match(run.error ?? '', /a total of 2000000 cents is more than 1000000/);
});
