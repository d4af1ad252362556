import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createTestEngine } from 'hatchet-ts/testing';

// A real engine with an empty database. The tasks are imported after it: their client finds the engine as it is made.
const engine = await createTestEngine();
const { reminder } = await import('../src/reminder.ts');
const { report } = await import('../src/report.ts');
await engine.worker([report, reminder]);
after(() => engine.stop());

test('each report is followed by its reminder', async () => {
  const { at } = await report.run({ remindAfterSeconds: 30 });
  await engine.clock.advance('30s');
  const reminders = await engine.results(reminder);
  assert.ok(reminders.some(({ output }) => output?.text === `read the report of ${at}`));
});

test('comes every minute', async () => {
  await engine.clock.advance('5m');
  const reports = await engine.results(report, { count: 6 });
  assert.deepEqual([...new Set(reports.map(({ status }) => status))], ['COMPLETED']);
});
