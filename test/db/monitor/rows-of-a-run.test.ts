import { afterAll, beforeAll, expect, it } from 'vitest';
import { readJournalFrom, readRunJournal } from '../../../engine/monitor/journal/journal-reads.ts';
import { readLogLines } from '../../../engine/monitor/lines/log-reads.ts';
import { readRunCounts } from '../../../engine/monitor/runs/run-counts.ts';
import { readRunDetail } from '../../../engine/monitor/runs/run-detail.ts';
import { listRunSummaries, readRunStatuses } from '../../../engine/monitor/runs/run-list.ts';
import { listTaskRefs } from '../../../engine/monitor/runs/task-list.ts';
import { readUnfinishedRuns } from '../../../engine/monitor/runs/unfinished-runs.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { latestQueuedMs, queuedTransitions } from '../../../engine/model/task/queued-by-run.ts';
import { RunStatus } from '../../../engine/model/task/status.ts';
import { migrateDown, migrateUp } from '../../../engine/postgres/schema/migrate.ts';
import { readEnds } from '../../../engine/shard/facts/load-ends.ts';
import { readTasks } from '../../../engine/shard/facts/load-stored-runs.ts';
import { LogWriter } from '../../../engine/writers/log-writer.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';
import { OwnerWorld } from '../../helpers/owner-world.ts';
import { idAt } from '../../helpers/stored-run.ts';
import { stepOf, workflowOf } from '../../helpers/planner-world.ts';
import { replayIds } from '../../../engine/bulk/replay-ids.ts';

const database = databaseFixture();
let world: OwnerWorld;
/** By how it stands. */
const runs: Record<string, string> = {};

/** Runs of one task in every state, and one of two tasks. */
beforeAll(async () => {
  world = await OwnerWorld.start(database.url);
  const { owner, tenantId } = world;
  await world.put();
  const workerId = await world.register();
  const begin = async (name: string): Promise<string> => (runs[name] = await world.trigger());
  await world.complete(await begin('completed'));
  const failed = await begin('failed');
  const report = { kind: 'failed', tenantId, taskId: failed, attempt: 0, error: '{"message":"no"}', mayRetry: false };
  await owner.submit({ ...report, kind: 'failed' });
  const cancelled = await begin('cancelled');
  await owner.submit({ kind: 'cancel', tenantId, ids: [cancelled] });
  await world.complete(await begin('completed again'));
  await replayIds(owner, tenantId, [runs['completed again'] ?? '']);
  await world.complete(runs['completed again'] ?? '', 1);
  await world.complete(await begin('runs again'));
  await replayIds(owner, tenantId, [runs['runs again'] ?? '']);
  await begin('running');
  const versionId = newId();
  await owner.submit({
    kind: 'putWorkflow',
    tenantId,
    definition: workflowOf('chain', [stepOf('one'), stepOf('two', { parents: [0] })]),
    checksum: 'chain',
    workflowId: newId(),
    versionId,
    filterIds: [],
    crons: [],
  });
  runs['of two tasks'] = newId();
  await world.trigger({ runId: runs['of two tasks'], taskIds: [newId(), newId()], versionId });
  await owner.submit({ kind: 'unsubscribe', tenantId, workerId });
  // It has waited for its turn.
  runs['queued'] = await world.trigger({ runId: idAt(Date.now() - latestQueuedMs / 2) });
  const lines = new LogWriter(database.pool, () => undefined);
  await lines.writeAll(
    Object.values(runs).map((taskId) => ({
      taskId,
      tenantId,
      atMs: 1_700_000_000_000,
      attempt: 0,
      level: 1,
      message: 'a line',
      metadata: '{}',
    })),
  );
  await owner.stop();
});

afterAll(() => world.owner.stop());

/** Of the run that is queued, which was triggered last. */
async function lastSeq(): Promise<number> {
  const rows = await readRunJournal(database.pool, world.tenantId, runs['queued'] ?? '', 0, 1);
  return rows[0]?.seq ?? 0;
}

/** All that is told of these runs. */
async function told(): Promise<Record<string, unknown>> {
  const { pool } = database;
  const { tenantId } = world;
  const ids = Object.values(runs);
  const filter = { tenantId, sinceId: null, untilId: null, metadata: null };
  const listed = {
    ...filter,
    statuses: [],
    workflowNames: [],
    workflowIds: [],
    search: null,
    parentTaskIds: null,
    beforeId: null,
    limit: 100,
    payloadBytes: 1_000_000,
  };
  const counts = { ...filter, workflowIds: [], parentTaskId: null, eventId: null };
  const each = <T>(read: (id: string) => Promise<T>): Promise<T[]> => Promise.all(ids.map(read));
  return {
    list: await listRunSummaries(pool, listed),
    failed: await listRunSummaries(pool, { ...listed, statuses: [RunStatus.Failed] }),
    completed: await listRunSummaries(pool, { ...listed, statuses: [RunStatus.Completed] }),
    statuses: Object.fromEntries(await readRunStatuses(pool, tenantId, ids)),
    counts: await readRunCounts(pool, counts),
    countsOfSome: await readRunCounts(pool, { ...counts, metadata: '{}' }),
    details: await each((id) => readRunDetail(pool, tenantId, id, { bytes: 1_000_000, data: true })),
    journal: await readJournalFrom(pool, tenantId, 0, 1_000),
    journals: await each((id) => readRunJournal(pool, tenantId, id, 0, 1_000)),
    firstOfJournal: await readJournalFrom(pool, tenantId, 0, 3),
    lastOfJournal: await readJournalFrom(pool, tenantId, await lastSeq(), 3),
    tasks: await listTaskRefs(pool, {
      ...filter,
      statuses: [],
      workflowIds: [],
      parentTaskId: null,
      workerId: null,
      eventId: null,
      limit: 100,
      offset: 0,
    }),
    unfinished: await readUnfinishedRuns(pool, { ...filter, queued: true, running: true, workflowIds: [] }),
    ends: (await pool.query({ ...readEnds, values: [ids] })).rows,
    replayed: (await pool.query({ ...readTasks, values: [ids, ''] })).rows,
    lines: await each((id) =>
      readLogLines(pool, {
        tenantId,
        id,
        after: null,
        levels: [],
        search: null,
        newest: false,
        limit: 10,
        bytes: 10_000,
      }),
    ),
  };
}

async function rowCounts(): Promise<Record<string, number> | undefined> {
  const { rows } = await database.client.query<Record<string, number>>(
    `SELECT (SELECT count(*) FROM run WHERE one_task)::integer AS lone, (SELECT count(*) FROM task)::integer AS tasks,
       (SELECT count(*) FROM run_end WHERE status = 3)::integer AS completed, (SELECT count(*) FROM history WHERE kinds LIKE 'rCQ%')::integer AS created`,
  );
  return rows[0];
}

it('tells the same of what is stored once as of rows of before', async () => {
  const now = await told();
  expect(now['lastOfJournal']).toMatchObject([{ taskId: runs['queued'], transitions: queuedTransitions }]);
  expect(now['counts']).toEqual([
    { status: RunStatus.Queued, count: 1 },
    { status: RunStatus.Running, count: 3 },
    { status: RunStatus.Completed, count: 2 },
    { status: RunStatus.Failed, count: 1 },
    { status: RunStatus.Cancelled, count: 1 },
  ]);
  expect(await rowCounts()).toMatchObject({ lone: 7, tasks: 2, completed: 0, created: 7 });
  // As the version before has stored them: each task with its row, each run with its end.
  await migrateDown(database.url, { to: '0021' });
  await migrateUp(database.url);
  expect(await rowCounts()).toMatchObject({ lone: 0, tasks: 9, completed: 4, created: 8 });
  expect(await told()).toEqual(now);
});
