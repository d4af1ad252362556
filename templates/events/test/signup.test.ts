import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createTestEngine } from 'hatchet-ts/testing';

// A real engine with an empty database. The tasks are imported after it: their client finds the engine as it is made.
const engine = await createTestEngine();
const { signup } = await import('../src/signup.ts');
await engine.worker([signup]);
after(() => engine.stop());

test('a user who confirms is with us', async () => {
  await engine.push('user:created', { name: 'Ada', plan: 'pro' }, { scope: 'shop' });
  await engine.push('user:confirmed', { by: 'mail' });
  const [run] = await engine.results(signup);
  assert.deepEqual(run?.output, { welcome: { name: 'Ada', extra: { gift: 'mug' } }, 'follow-up': { message: 'Ada is with us' } });
});

test('a user who does not is asked after ten seconds', async () => {
  const run = await signup.runNoWait({ name: 'Bob', plan: 'free' });
  await engine.settled();
  await engine.clock.advance('10s');
  assert.deepEqual((await engine.waitForRun(run)).output, { welcome: { name: 'Bob', extra: {} }, 'follow-up': { message: 'Bob, are you there?' } });
});

test('the filter lets only plan pro of the shop through', async () => {
  const before = (await engine.results(signup)).length;
  await engine.push('user:created', { name: 'Cy', plan: 'free' }, { scope: 'shop' });
  await engine.push('user:created', { name: 'Di', plan: 'pro' });
  assert.equal((await engine.results(signup)).length, before);
});
