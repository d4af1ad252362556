/** What a page of a list reads does not grow with the runs that are kept. */
import { escapeLiteral } from 'pg';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { fillHistory } from '../../../bench/peers/ours/history-rows.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { LiveState } from '../../../engine/model/task/live-state.ts';
import { RunStatus } from '../../../engine/model/task/status.ts';
import type { Reader } from '../../../engine/monitor/read-snapshot.ts';
import { noPayloads, readRunDetail } from '../../../engine/monitor/runs/run-detail.ts';
import { listRunSummaries, type RunListFilter } from '../../../engine/monitor/runs/run-list.ts';
import { listTaskRefs, type TaskListFilter } from '../../../engine/monitor/runs/task-list.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';
import { OwnerWorld } from '../../helpers/owner-world.ts';
import { stepOf, workflowOf } from '../../helpers/planner-world.ts';

const database = databaseFixture();
let world: OwnerWorld;
let workerId: string;
let runs: RunListFilter;
let tasks: TaskListFilter;

const pageRuns = 10;
/** With these a page of those that failed is full. */
const fewRows = 4_000;
const manyRows = 16_000;
/** An index of twice the depth is within it. */
const mostGrowth = 2;

/** Unfinished runs in every status, the newest that there are: those of the history ended before now. */
beforeAll(async () => {
  world = await OwnerWorld.start(database.url);
  const { owner, tenantId } = world;
  const filter = { tenantId, statuses: [], workflowIds: [], sinceId: null, untilId: null, metadata: null };
  const run = { workflowNames: [], search: null, parentTaskIds: null, beforeId: null, payloadBytes: 1_000 };
  runs = { ...filter, ...run, limit: pageRuns };
  tasks = { ...filter, parentTaskId: null, workerId: null, eventId: null, limit: pageRuns, offset: 0 };
  await world.put();
  workerId = await world.register();
  await world.complete(await world.trigger());
  await world.trigger();
  const evicted = await world.trigger();
  const versionId = newId();
  await owner.submit({
    kind: 'putWorkflow',
    tenantId,
    definition: workflowOf('chain', [stepOf('one'), stepOf('two', { parents: [0], action: 'wf:other' })]),
    checksum: 'chain',
    workflowId: newId(),
    versionId,
    filterIds: [],
    crons: [],
  });
  const chain = async (): Promise<string> => {
    const [first, second] = [newId(), newId()];
    await world.trigger({ runId: newId(), taskIds: [first, second], versionId });
    return first;
  };
  await world.complete(await chain());
  await owner.submit({ kind: 'unsubscribe', tenantId, workerId });
  await chain();
  await world.trigger();
  await owner.stop();
  await database.client.query('UPDATE live SET state = $2 WHERE task_id = $1', [evicted, LiveState.Evicted]);
});

afterAll(() => world.owner.stop());

interface Explained {
  'QUERY PLAN': { Plan: { 'Shared Hit Blocks': number; 'Shared Read Blocks': number } }[];
}

/** What is sent to Postgres for a list. */
async function statementOf(list: (reader: Reader) => Promise<unknown>): Promise<{ text: string; values: unknown[] }> {
  const query = vi.spyOn(database.client, 'query');
  await list(database.client);
  const [sent]: unknown[] = query.mock.lastCall ?? [];
  query.mockRestore();
  if (typeof sent !== 'object' || sent === null) throw new Error('it was not sent as a prepared statement');
  const [text, values]: unknown[] = [Reflect.get(sent, 'text'), Reflect.get(sent, 'values')];
  if (typeof text !== 'string' || !Array.isArray(values)) throw new Error('it has no text, or no values');
  return { text, values };
}

type Plan = 'custom' | 'generic';

/** @returns blocks that were read, each as often as it was: with a plan made for the values, or for any */
async function blocksRead(plan: Plan, list: (reader: Reader) => Promise<unknown>): Promise<number> {
  const { client } = database;
  const { text, values } = await statementOf(list);
  const literals = values.map((value) => {
    if (value === null) return 'NULL';
    if (Array.isArray(value)) return escapeLiteral(`{${value.join(',')}}`);
    if (typeof value === 'number') return String(value);
    if (typeof value === 'string') return escapeLiteral(value);
    throw new Error(`no list is asked for by a ${typeof value}`);
  });
  await client.query(`SET plan_cache_mode = force_${plan}_plan`);
  await client.query(`PREPARE explained AS ${text}`);
  try {
    const { rows } = await client.query<Explained>(
      `EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) EXECUTE explained (${literals.join(',')})`,
    );
    const root = rows[0]?.['QUERY PLAN'][0]?.Plan;
    if (root === undefined) throw new Error('there is no plan');
    return root['Shared Hit Blocks'] + root['Shared Read Blocks'];
  } finally {
    await client.query('DEALLOCATE explained');
  }
}

const running = [RunStatus.Running, RunStatus.Evicted];
const lists: Record<string, (reader: Reader) => Promise<unknown[]>> = {
  'the newest runs': (reader) => listRunSummaries(reader, runs),
  'runs that failed': (reader) => listRunSummaries(reader, { ...runs, statuses: [RunStatus.Failed] }),
  'runs of a worker': (reader) => listRunSummaries(reader, { ...runs, workerId }),
  'runs that have not ended': (reader) =>
    listRunSummaries(reader, { ...runs, statuses: [RunStatus.Queued, ...running] }),
  'runs that run': (reader) => listRunSummaries(reader, { ...runs, statuses: running }),
  'the newest tasks': (reader) => listTaskRefs(reader, tasks),
  'tasks of a worker': (reader) => listTaskRefs(reader, { ...tasks, workerId }),
  'tasks that run': (reader) => listTaskRefs(reader, { ...tasks, statuses: running }),
};

/** Of some lists, with either plan. */
async function blocksOf(names: readonly string[]): Promise<Map<string, number>> {
  const blocks = new Map<string, number>();
  for (const plan of ['custom', 'generic'] as const)
    for (const name of names) {
      const list = lists[name];
      if (list !== undefined) blocks.set(`${name}, ${plan} plan`, await blocksRead(plan, list));
    }
  return blocks;
}

/** The lists that read more than they may after than before. */
function grown(before: Map<string, number>, after: Map<string, number>): string[] {
  return [...after].flatMap(([list, blocks]) => {
    const had = before.get(list) ?? 0;
    return blocks > had * mostGrowth ? [`${list}: ${had} blocks, then ${blocks}`] : [];
  });
}

const subsets: RunStatus[][] = [
  [RunStatus.Queued],
  [RunStatus.Running],
  [RunStatus.Evicted],
  [RunStatus.Queued, RunStatus.Running],
  [RunStatus.Queued, RunStatus.Evicted],
  [RunStatus.Running, RunStatus.Evicted],
  [RunStatus.Queued, RunStatus.Running, RunStatus.Evicted],
];

it.each(subsets.map((statuses) => ({ statuses })))(
  'lists by `live` the runs and tasks that have the statuses $statuses',
  async ({ statuses }) => {
    const { pool } = database;
    const all = await listRunSummaries(pool, runs);
    expect(new Set(all.map((run) => run.status))).toEqual(
      new Set([RunStatus.Queued, RunStatus.Running, RunStatus.Evicted, RunStatus.Completed]),
    );
    expect(await listRunSummaries(pool, { ...runs, statuses })).toEqual(
      all.filter((run) => statuses.includes(run.status)),
    );
    const details = await Promise.all(all.map((run) => readRunDetail(pool, world.tenantId, run.id, noPayloads)));
    const expected = details.flatMap((run) =>
      (run?.tasks ?? [])
        .filter((task) => !task.isToCome && statuses.includes(task.status))
        .map((task) => ({ taskId: task.id, runId: run?.id })),
    );
    expect(await listTaskRefs(pool, { ...tasks, statuses })).toEqual(expected);
  },
);

it('reads no more for a page where four times as many runs are kept', async () => {
  await fillHistory(database.url, fewRows, () => undefined);
  const before = await blocksOf(Object.keys(lists));
  await fillHistory(database.url, manyRows - fewRows, () => undefined);
  expect(grown(before, await blocksOf(Object.keys(lists)))).toEqual([]);
});

/** Runs of one task that wait in the queue. */
async function fillBacklog(count: number): Promise<void> {
  await database.client.query(
    `WITH made AS MATERIALIZED (SELECT uuidv7() AS id FROM generate_series(1, $1)),
       by AS (SELECT tenant_id, workflow_id, id AS version_id FROM workflow_version ORDER BY id DESC LIMIT 1),
       runs AS (
         INSERT INTO run (id, tenant_id, workflow_id, version_id, priority, input, metadata, one_task, queued_seq)
         SELECT id, tenant_id, workflow_id, version_id, 1, '{}', '{}', true, 1 FROM made, by
       )
     INSERT INTO live (task_id, run_id, tenant_id, version_id, shard, step, state, flags, priority, generation, attempt, retries, reassigns, seq, due_us)
     SELECT id, id, tenant_id, version_id, 0, 0, $2, 0, 1, 1, 0, 0, 0, 1, 0 FROM made, by`,
    [count, LiveState.Ready],
  );
  await database.client.query('VACUUM (ANALYZE) run, live');
}

it('reads `live` no more than once for a page, however many tasks wait', async () => {
  const names = ['the newest runs', 'the newest tasks', 'runs that have not ended', 'runs that run', 'tasks that run'];
  const { client } = database;
  await fillBacklog(1_000);
  const before = await blocksOf(names);
  await fillBacklog(11_000);
  const after = await blocksOf(names);
  const { rows } = await client.query<{ blocks: number }>(
    `SELECT (pg_relation_size('live') / current_setting('block_size')::integer)::integer AS blocks`,
  );
  const once = rows[0]?.blocks ?? 0;
  // The others look it up by its key.
  const readsLive = /^(runs|tasks) that/;
  for (const [list, blocks] of after) if (readsLive.test(list)) after.set(list, blocks - once);
  expect(grown(before, after)).toEqual([]);
});
