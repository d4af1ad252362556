import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createTestEngine } from 'hatchet-ts/testing';

// A real engine with an empty database. The tasks are imported after it: their client finds the engine as it is made.
const engine = await createTestEngine();
const { simple } = await import('../src/simple.ts');
await engine.worker([simple]);
after(() => engine.stop());

test('lowers a message', async () => {
  assert.deepEqual(await simple.run({ message: 'Hello, World' }), { message: 'hello, world' });
});

test('refuses an input that does not match its schema, before a run is made', async () => {
  await assert.rejects(engine.hatchet.run(simple, JSON.parse('{"text":"Hello"}')), { code: 'INVALID_INPUT' });
});
