import { expect, it } from 'vitest';
import { databaseFixture } from '../../helpers/database-fixture.ts';
import { OwnerWorld } from '../../helpers/owner-world.ts';

const database = databaseFixture();

/** The journal's rows of a task, in order. */
async function journalRows(taskId: string): Promise<string[]> {
  const { rows } = await database.client.query<{ kinds: string }>(
    'SELECT kinds FROM history WHERE task_id = $1 ORDER BY seq',
    [taskId],
  );
  return rows.map((row) => row.kinds);
}

it('stores a start with the end that is reported with it', async () => {
  const world = await OwnerWorld.start(database.url);
  try {
    await world.put();
    const runIds = [await world.trigger(), await world.trigger()];
    await world.register();
    const items = (event: 'started' | 'completed') =>
      runIds.map((taskId) =>
        event === 'started' ? { taskId, attempt: 0, event } : { taskId, attempt: 0, event, output: '{}' },
      );
    await world.owner.submit({
      kind: 'batchReport',
      tenantId: world.tenantId,
      batchId: null,
      items: [...items('started'), ...items('completed')],
    });
    for (const runId of runIds) expect(await journalRows(runId)).toEqual(['rCQ', 'A', 'TSFc']);
    const told = world.history.filter(({ transitions }) => transitions.includes('STARTED'));
    expect(told.map(({ transitions }) => transitions.at(-1))).toEqual(['RUN_COMPLETED', 'RUN_COMPLETED']);
  } finally {
    await world.owner.stop();
  }
});
