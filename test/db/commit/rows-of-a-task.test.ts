import { expect, it } from 'vitest';
import { databaseFixture } from '../../helpers/database-fixture.ts';
import { OwnerWorld } from '../../helpers/owner-world.ts';
import { journalOf } from '../../../engine/postgres/rows-of-a-run.ts';

const database = databaseFixture();

/** The journal's rows of a task, in order. */
async function journalRows(taskId: string): Promise<string[]> {
  const { rows } = await database.client.query<{ kinds: string }>(
    `SELECT kinds FROM ${journalOf('$1')} h ORDER BY seq`,
    [taskId],
  );
  return rows.map((row) => row.kinds);
}

/** How many rows of each table the runs of one task have. */
async function rowCounts(runIds: readonly string[]): Promise<Record<string, number> | undefined> {
  const { rows } = await database.client.query<Record<string, number>>(
    `SELECT (SELECT count(*) FROM run WHERE id = ANY ($1))::integer AS run, (SELECT count(*) FROM result WHERE task_id = ANY ($1))::integer AS result,
       (SELECT count(*) FROM task WHERE run_id = ANY ($1))::integer AS task, (SELECT count(*) FROM run_end WHERE run_id = ANY ($1))::integer AS run_end,
       (SELECT count(*) FROM history WHERE task_id = ANY ($1))::integer AS history, (SELECT count(*) FROM live WHERE run_id = ANY ($1))::integer AS live`,
    [runIds],
  );
  return rows[0];
}

it('stores a task that completed once: no row says what another does', async () => {
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
    expect(await rowCounts(runIds)).toEqual({ run: 2, result: 2, history: 4, task: 0, run_end: 0, live: 0 });
    for (const runId of runIds) expect(await journalRows(runId)).toEqual(['rCQ', 'A', 'TSFc']);
    const told = world.history.filter(({ transitions }) => transitions.includes('STARTED'));
    expect(told.map(({ transitions }) => transitions.at(-1))).toEqual(['RUN_COMPLETED', 'RUN_COMPLETED']);
  } finally {
    await world.owner.stop();
  }
});
