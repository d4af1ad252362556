import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createTestEngine } from 'hatchet-ts/testing';

// A real engine with an empty database. The tasks are imported after it: their client finds the engine as it is made.
const engine = await createTestEngine();
const { album } = await import('../src/album.ts');
const { thumbnail } = await import('../src/thumbnail.ts');
await engine.worker([album, thumbnail]);
after(() => engine.stop());

test('adds up what its children give', async () => {
  assert.deepEqual(await album.run({ customer: 'ada', images: 7 }), { files: 7, bytes: 7021 });
  const children = await engine.results(thumbnail, { count: 7 });
  assert.deepEqual(children.map(({ status }) => status), Array.from({ length: 7 }, () => 'COMPLETED'));
});
