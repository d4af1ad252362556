import { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/index.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../engine/model/ids/uuid.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';
import { makeNeighbour } from '../helpers/neighbour.ts';
import { restRequest } from '../helpers/rest-request.ts';

const fixture = engineFixture('rest-older-runs');
let hatchet: HatchetClient;
let worker: Awaited<ReturnType<HatchetClient['worker']>>;
let tenantId: string;
let stranger: { tenantId: string; token: string };
let list: string;

beforeAll(async () => {
  process.env['HATCHET_CLIENT_LOG_LEVEL'] = 'OFF';
  hatchet = HatchetClient.init({ token: fixture.engine.token, tls_config: { tls_strategy: 'none' } });
  tenantId = hatchet.tenantId;
  list = `/api/v1/tenants/${tenantId}/workflows/runs`;
  stranger = await makeNeighbour(fixture.database.pool, fixture.dataDir);
  const child = hatchet.task({
    name: 'older-child',
    onEvents: ['older:event'],
    fn: (input: { n?: number }) => ({ n: input.n ?? 0 }),
  });
  const parent = hatchet.task({ name: 'older-parent', fn: async () => ({ n: (await child.run({ n: 3 })).n }) });
  const failing = hatchet.task({
    name: 'older-failing',
    fn: () => {
      throw new Error('it does not work');
    },
  });
  worker = await hatchet.worker('older', { workflows: [child, parent, failing], slots: 5, handleKill: false });
  void worker.start();
  await worker.waitUntilReady();
});

afterAll(() => worker.stop());

async function finished(workflow: string, input: Record<string, number>, metadata = {}): Promise<string> {
  const ref = await hatchet.runNoWait(workflow, input, { additionalMetadata: metadata });
  await ref.output.catch(() => undefined);
  return ref.getWorkflowRunId();
}

async function ids(query: Record<string, string>): Promise<string[]> {
  const path = `${list}?${String(new URLSearchParams(query))}`;
  const { status, body } = await restRequest(fixture.engine, path, fixture);
  expect([path, status]).toEqual([path, 200]);
  return Object(body).rows.map((row: { metadata: { id: string } }) => row.metadata.id);
}

describe('runs in the older form', () => {
  test('one of them, whole', async () => {
    const id = await finished('older-child', { n: 4 }, { team: 'blue' });
    const { data } = await hatchet.api.workflowRunGet(tenantId, id);
    expect(data).toMatchObject({
      metadata: { id },
      tenantId,
      status: 'SUCCEEDED',
      input: { n: 4 },
      additionalMetadata: { team: 'blue' },
      triggeredBy: {},
    });
    expect(Date.parse(data.finishedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(data.startedAt ?? ''));
    const failed = await finished('older-failing', {});
    expect((await hatchet.api.workflowRunGet(tenantId, failed)).data).toMatchObject({
      status: 'FAILED',
      error: 'it does not work',
    });
  });

  test('newest first, in pages, by status, workflow, metadata, time, parent and event', async () => {
    const mark = newId();
    const additionalMetadata = `mark:${mark}`;
    const done = [await finished('older-child', { n: 1 }, { mark }), await finished('older-child', { n: 2 }, { mark })];
    const failed = await finished('older-failing', {}, { mark });
    const newest = [failed, ...done.toReversed()];
    const { data } = await hatchet.api.workflowRunList(tenantId, {
      additionalMetadata: [additionalMetadata],
      limit: 2,
    });
    expect(data).toMatchObject({
      pagination: { current_page: 1, next_page: 2 },
      rows: newest.slice(0, 2).map((id) => ({ metadata: { id } })),
    });
    expect(data.rows?.[0]).toMatchObject({ status: 'FAILED', error: 'it does not work', additionalMetadata: { mark } });
    expect(data.rows?.[0]).not.toHaveProperty('input');
    expect(await ids({ additionalMetadata, offset: '2' })).toEqual(newest.slice(2));
    expect(await ids({ additionalMetadata, statuses: 'SUCCEEDED' })).toEqual(newest.slice(1));
    expect(await ids({ additionalMetadata, statuses: 'BACKOFF' })).toEqual([]);
    const { metadata } = await hatchet.workflows.get('older-failing');
    expect(await ids({ additionalMetadata, workflowId: metadata.id })).toEqual([failed]);
    expect(await ids({ additionalMetadata, createdBefore: new Date(Date.now() - 60_000).toISOString() })).toEqual([]);
    expect(await ids({ additionalMetadata, createdAfter: new Date(Date.now() - 60_000).toISOString() })).toEqual(
      newest,
    );
    const parent = await finished('older-parent', {});
    const [child = '', ...others] = await ids({ parentWorkflowRunId: parent });
    expect(others).toEqual([]);
    expect((await hatchet.api.workflowRunGet(tenantId, child)).data).toMatchObject({
      input: { n: 3 },
      parentStepRunId: parent,
    });
    expect(await ids({ parentStepRunId: parent })).toEqual([child]);
    expect(await ids({ parentWorkflowRunId: newId() })).toEqual([]);
    const event = await hatchet.events.push('older:event', {});
    await expect.poll(() => ids({ eventId: event.eventId })).toHaveLength(1);
  });

  test('what would give others than are asked for is refused', async () => {
    const queries = [
      'kinds=DAG',
      'finishedAfter=2026-01-01T00:00:00Z',
      'orderByField=duration',
      'orderByDirection=ASC',
      'statuses=HAPPY',
      'limit=0',
      'workflowId=x',
    ];
    for (const query of queries)
      expect([query, (await restRequest(fixture.engine, `${list}?${query}`, fixture)).status]).toEqual([query, 400]);
  });

  test('of another tenant none', async () => {
    const id = await finished('older-child', { n: 9 });
    const asStranger = (path: string) => restRequest(fixture.engine, path, stranger);
    expect((await asStranger(list)).status).toBe(404);
    const own = `/api/v1/tenants/${stranger.tenantId}`;
    expect(await asStranger(`${own}/workflows/runs`)).toMatchObject({ status: 200, body: { rows: [] } });
    expect(await asStranger(`${own}/workflows/runs?parentWorkflowRunId=${id}`)).toMatchObject({ body: { rows: [] } });
    expect((await asStranger(`${own}/workflow-runs/${id}`)).status).toBe(404);
  });
});
