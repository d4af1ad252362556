import { setTimeout as delay } from 'node:timers/promises';
import { ConcurrencyLimitStrategy, HatchetClient } from '@hatchet-dev/typescript-sdk/v1/index.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../engine/model/ids/uuid.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';
import { makeNeighbour } from '../helpers/neighbour.ts';
import { restRequest } from '../helpers/rest-request.ts';

const fixture = engineFixture('rest-loads');
let hatchet: HatchetClient;
let worker: Awaited<ReturnType<HatchetClient['worker']>>;
let tenantId: string;
let stranger: { tenantId: string; token: string };
const minuteMs = 60_000;

const failing = 'loads-failing';
const keyed = 'loads-keyed';
const chain = 'loads-chain';

beforeAll(async () => {
  process.env['HATCHET_CLIENT_LOG_LEVEL'] = 'OFF';
  hatchet = HatchetClient.init({ token: fixture.engine.token, tls_config: { tls_strategy: 'none' } });
  tenantId = hatchet.tenantId;
  stranger = await makeNeighbour(fixture.database.pool, fixture.dataDir);
  const broken = hatchet.task({
    name: failing,
    retries: 1,
    fn: () => {
      throw new Error('it does not work');
    },
  });
  const held = hatchet.task({
    name: keyed,
    concurrency: { expression: 'input.key', maxRuns: 2, limitStrategy: ConcurrencyLimitStrategy.GROUP_ROUND_ROBIN },
    fn: (_input: { key: string }, context) => delay(60_000, {}, { signal: context.abortController.signal }),
  });
  const two = hatchet.workflow<{ n: number }>({ name: chain });
  const first = two.task({
    name: 'loads-first',
    fn: async (_input, context) => delay(60_000, {}, { signal: context.abortController.signal }),
  });
  two.task({ name: 'loads-second', parents: [first], fn: () => ({}) });
  const quick = hatchet.task({ name: 'loads-quick', fn: () => ({}) });
  worker = await hatchet.worker('loads', { workflows: [broken, held, two, quick], slots: 20, handleKill: false });
  void worker.start();
  await worker.waitUntilReady();
});

afterAll(() => worker.stop());

const started = async (workflow: string, input: Record<string, string | number>, metadata = {}): Promise<string> =>
  (await hatchet.runNoWait(workflow, input, { additionalMetadata: metadata })).getWorkflowRunId();
const workflowId = async (name: string): Promise<string> => (await hatchet.workflows.get(name)).metadata.id;
const asStranger = (path: string) => restRequest(fixture.engine, path, { token: stranger.token });

async function refused(...paths: string[]): Promise<void> {
  for (const path of paths)
    expect([path, (await restRequest(fixture.engine, path, fixture)).status]).toEqual([path, 400]);
}

describe('what waits and what runs', () => {
  const cancelled: string[] = [];

  test('by task, with the keys that hold tasks up, and zeros for those that are asked for', async () => {
    const before = Date.now();
    for (const key of ['a', 'a', 'a', 'a', 'b']) cancelled.push(await started(keyed, { key }));
    await expect
      .poll(async () => (await hatchet.api.tenantGetTaskStats(tenantId, { taskNames: ['loads-none'] })).data)
      .toMatchObject({
        [keyed]: {
          queued: {
            total: 2,
            queues: { [`${keyed}:${keyed}`]: 2 },
            concurrency: [{ expression: 'input.key', type: 'GROUP_ROUND_ROBIN', keys: { a: 2 } }],
          },
          running: { total: 3, concurrency: [{ keys: { a: 2, b: 1 } }] },
        },
        'loads-none': { queued: { total: 0, queues: {}, concurrency: [] }, running: { total: 0 } },
      });
    const { data } = await hatchet.api.tenantGetTaskStats(tenantId);
    expect(Object.keys(data)).toEqual([keyed]);
    const { oldest, oldestExcludingRetries } = data[keyed]?.queued ?? {};
    expect(oldestExcludingRetries).toBe(oldest);
    expect(Date.parse(oldest ?? '')).toBeGreaterThanOrEqual(before - 1000);
    expect(Date.parse(oldest ?? '')).toBeLessThanOrEqual(Date.now() + 1000);
  });

  test('by the keys of a workflow', async () => {
    const id = await workflowId(keyed);
    const metrics = async (query: Record<string, string>): Promise<unknown> =>
      (await hatchet.api.workflowGetMetrics(id, query)).data;
    expect(await metrics({})).toEqual({ groupKeyCount: 2 });
    expect(await metrics({ groupKey: 'a' })).toEqual({ groupKeyCount: 2, groupKeyRunsCount: 4 });
    expect(await metrics({ groupKey: 'a', status: 'QUEUED' })).toEqual({ groupKeyCount: 1, groupKeyRunsCount: 2 });
    expect(await metrics({ groupKey: 'b', status: 'QUEUED' })).toEqual({ groupKeyCount: 1, groupKeyRunsCount: 0 });
    expect(await metrics({ groupKey: 'b', status: 'RUNNING' })).toEqual({ groupKeyCount: 2, groupKeyRunsCount: 1 });
    await refused(`/api/v1/workflows/${id}/metrics?status=SUCCEEDED`);
    expect((await asStranger(`/api/v1/workflows/${id}/metrics`)).status).toBe(404);
  });

  test('by workflow, all of them, some of them, and those with some metadata', async () => {
    cancelled.push(await started(chain, { n: 1 }, { team: 'red' }), await started(chain, { n: 2 }));
    const [keyedId, chainId] = [await workflowId(keyed), await workflowId(chain)];
    const read = async (query: { workflows?: string[]; additionalMetadata?: string[] }): Promise<unknown> =>
      (await hatchet.api.tenantGetQueueMetrics(tenantId, query)).data;
    const ofKeyed = { numQueued: 2, numRunning: 3, numPending: 0 };
    const ofChain = { numQueued: 0, numRunning: 2, numPending: 2 };
    await expect
      .poll(() => read({}))
      .toMatchObject({
        total: { numQueued: 2, numRunning: 5, numPending: 2 },
        workflow: { [keyedId]: ofKeyed, [chainId]: ofChain },
      });
    expect(await read({ workflows: [chainId] })).toMatchObject({ total: ofChain, workflow: { [chainId]: ofChain } });
    const red = { numQueued: 0, numRunning: 1, numPending: 1 };
    expect(await read({ additionalMetadata: ['team:red'] })).toMatchObject({
      total: red,
      workflow: { [chainId]: red },
    });
    expect(Object(await read({ additionalMetadata: ['team:blue'] })).workflow).toEqual({});
    await refused(
      `/api/v1/tenants/${tenantId}/queue-metrics?workflows=x`,
      `/api/v1/tenants/${tenantId}/queue-metrics?additionalMetadata=red`,
    );
  });

  test('of another tenant nothing, though it is of the same shard', async () => {
    for (const path of ['task-stats', 'queue-metrics']) {
      expect((await asStranger(`/api/v1/tenants/${tenantId}/${path}`)).status).toBe(404);
      expect([path, (await asStranger(`/api/v1/tenants/${stranger.tenantId}/${path}`)).body]).toEqual([
        path,
        path === 'task-stats'
          ? {}
          : { total: { numQueued: 0, numRunning: 0, numPending: 0 }, workflow: {}, queues: {} },
      ]);
    }
    const withMetadata = `/api/v1/tenants/${stranger.tenantId}/queue-metrics?additionalMetadata=team:red`;
    expect(Object((await asStranger(withMetadata)).body).workflow).toEqual({});
    await hatchet.runs.cancel({ ids: cancelled });
  });
});

describe('attempts over time', () => {
  const points = async (query: { createdAfter?: string; finishedBefore?: string }) =>
    (await hatchet.api.v1TaskGetPointMetrics(tenantId, query)).data.results ?? [];
  const sumOf = (rows: readonly { SUCCEEDED: number; FAILED: number }[]): [number, number] => [
    rows.reduce((sum, row) => sum + row.SUCCEEDED, 0),
    rows.reduce((sum, row) => sum + row.FAILED, 0),
  ];
  const iso = (ms: number): string => new Date(ms).toISOString();

  test('those that completed and failed, in points of a minute, those in which nothing ended too', async () => {
    const from = Date.now();
    for (let n = 0; n < 5; n++) await hatchet.run('loads-quick', {});
    await expect(hatchet.run(failing, {})).rejects.toThrow();
    const rows = await points({ createdAfter: iso(from - 20 * minuteMs), finishedBefore: iso(Date.now() + minuteMs) });
    // The attempt that was tried again counts as well.
    expect(sumOf(rows)).toEqual([5, 2]);
    expect(rows.length).toBeGreaterThanOrEqual(21);
    expect(rows.length).toBeLessThanOrEqual(23);
    const times = rows.map(({ time }) => Date.parse(time));
    expect(times).toEqual(times.map((_, place) => Math.floor((from - 20 * minuteMs) / minuteMs + place) * minuteMs));
    const ended = rows.filter(({ SUCCEEDED, FAILED }) => SUCCEEDED + FAILED > 0).map(({ time }) => Date.parse(time));
    expect(Math.min(...ended)).toBeGreaterThanOrEqual(Math.floor(from / minuteMs) * minuteMs);
    expect(
      sumOf(await points({ createdAfter: iso(from - 20 * minuteMs), finishedBefore: iso(from - minuteMs) })),
    ).toEqual([0, 0]);
  });

  test('as wide as the window is long, of 8 days at most, by default of the last 24 hours', async () => {
    const hourMs = 60 * minuteMs;
    const now = Math.floor(Date.now() / (8 * hourMs)) * 8 * hourMs + 8 * hourMs;
    const widthOf = async (lengthMs: number): Promise<[number, number]> => {
      const rows = await points({ createdAfter: iso(now - lengthMs), finishedBefore: iso(now) });
      const [first, second] = rows;
      return [rows.length, (Date.parse(second?.time ?? '') - Date.parse(first?.time ?? '')) / minuteMs];
    };
    expect(await widthOf(hourMs)).toEqual([61, 1]);
    expect(await widthOf(12 * hourMs - 5 * minuteMs)).toEqual([144, 5]);
    expect(await widthOf(47 * hourMs)).toEqual([95, 30]);
    expect(await widthOf(8 * 24 * hourMs)).toEqual([25, 480]);
    expect(sumOf(await points({}))).toEqual([5, 2]);
    const base = `/api/v1/stable/tenants/${tenantId}/task-point-metrics`;
    await refused(
      `${base}?createdAfter=${iso(now - 9 * 24 * hourMs)}&finishedBefore=${iso(now)}`,
      `${base}?createdAfter=${iso(now)}&finishedBefore=${iso(now - 1)}`,
      `${base}?createdAfter=yesterday`,
    );
  });

  test('of another tenant none', async () => {
    expect((await asStranger(`/api/v1/stable/tenants/${tenantId}/task-point-metrics`)).status).toBe(404);
    const { body } = await asStranger(`/api/v1/stable/tenants/${stranger.tenantId}/task-point-metrics`);
    const { results } = Object(body);
    expect(sumOf(results)).toEqual([0, 0]);
  });
});

describe('tasks of some runs', () => {
  test('by run, without payloads; of another tenant none', async () => {
    const runId = await started(chain, { n: 7 });
    const read = (dagIds: string[], tenant: string) =>
      hatchet.api.v1DagListTasks({ dag_ids: dagIds, tenant }, { validateStatus: () => true });
    await expect
      .poll(async () => (await read([runId, newId()], tenantId)).data)
      .toEqual([
        {
          dagId: runId,
          children: [
            expect.objectContaining({ actionId: `${chain}:loads-first`, workflowRunExternalId: runId, input: {} }),
          ],
        },
      ]);
    expect((await read([runId], stranger.tenantId)).status).toBe(404);
    const path = `/api/v1/stable/dags/tasks?tenant=${stranger.tenantId}&dag_ids=${runId}`;
    expect(await asStranger(path)).toEqual({ status: 200, body: [] });
    await refused(`/api/v1/stable/dags/tasks?tenant=${tenantId}&dag_ids=x`);
    await hatchet.runs.cancel({ ids: [runId] });
  });
});
