import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createTestEngine } from 'hatchet-ts/testing';

// A real engine with an empty database. The tasks are imported after it: their client finds the engine as it is made.
const engine = await createTestEngine();
const { purchase } = await import('../src/purchase.ts');
await engine.worker([purchase]);
after(() => engine.stop());

test('goes by the decision about its own id', async () => {
  const run = await purchase.runNoWait({ id: '17', amount: 900 });
  await engine.settled();
  await engine.push('purchase:decided', { id: '18', approved: false });
  await engine.push('purchase:decided', { id: '17', approved: true, by: 'Ada' });
  assert.deepEqual((await engine.waitForRun(run)).output, { id: '17', outcome: 'approved by Ada' });
});

test('gives up after two days of patience', async () => {
  const run = await purchase.runNoWait({ id: '19', amount: 5, patience: '2d' });
  await engine.settled();
  await engine.clock.advance('2d');
  assert.deepEqual((await engine.waitForRun(run)).output, { id: '19', outcome: 'nobody decided in time' });
});
