import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createTestEngine } from 'hatchet-ts/testing';

// A real engine with an empty database. The tasks are imported after it: their client finds the engine as it is made.
const engine = await createTestEngine();
const { agent } = await import('../src/agent.ts');
const { locate } = await import('../src/locate.ts');
await engine.worker([agent, locate]);
after(() => engine.stop());

test('asks its tool for what it lacks, then answers', async () => {
  assert.deepEqual(await agent.run({ question: 'How far is it from Rome to Paris?' }), { answer: 'about 1110 km', turns: 2 });
  const found = await engine.results(locate, { count: 2 });
  assert.deepEqual(found.map(({ output }) => output?.place).sort(), ['Paris', 'Rome']);
});
