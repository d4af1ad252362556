import { randomBytes } from 'node:crypto';
import { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/index.js';
import {
  V1LogLineLevel,
  V1LogLineOrderByDirection,
} from '@hatchet-dev/typescript-sdk/clients/rest/generated/data-contracts.js';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Span_SpanKind, Status_StatusCode } from '../../proto/gen/opentelemetry/proto/trace/v1/trace.ts';
import { newId } from '../../engine/model/ids/uuid.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';
import { makeNeighbour } from '../helpers/neighbour.ts';
import { restRequest, type Reply } from '../helpers/rest-request.ts';

const fixture = engineFixture('rest-logs');
let hatchet: HatchetClient;
let worker: Awaited<ReturnType<HatchetClient['worker']>>;
let tenantId: string;
let stranger: { tenantId: string; token: string };
let base: string;
/** By workflow, its run and its task. */
const ids = new Map<string, { run: string; task: string }>();
const from = Date.now();

beforeAll(async () => {
  process.env['HATCHET_CLIENT_LOG_LEVEL'] = 'OFF';
  hatchet = HatchetClient.init({ token: fixture.engine.token, tls_config: { tls_strategy: 'none' } });
  tenantId = hatchet.tenantId;
  base = `/api/v1/stable/tenants/${tenantId}`;
  stranger = await makeNeighbour(fixture.database.pool, fixture.dataDir);
  const one = hatchet.task({
    name: 'logs-one',
    fn: async (_input, context) => {
      await context.logger.info('one: the first');
      await context.logger.error('one: it BREAKS');
      return {};
    },
  });
  const two = hatchet.workflow({ name: 'logs-two' });
  const before = two.task({
    name: 'before',
    fn: async (_input, context) => (await context.logger.info('two: before'), {}),
  });
  two.task({
    name: 'after',
    parents: [before],
    fn: async (_input, context) => (await context.logger.warn('two: after'), {}),
  });
  worker = await hatchet.worker('logs', { workflows: [one, two], slots: 5, handleKill: false });
  void worker.start();
  await worker.waitUntilReady();
  for (const name of ['logs-one', 'logs-two']) {
    const ref = await hatchet.runNoWait(name, {}, {});
    await ref.output;
    const run = await ref.getWorkflowRunId();
    const { tasks } = (await hatchet.api.v1WorkflowRunGet(run)).data;
    ids.set(name, { run, task: tasks[0]?.taskExternalId ?? '' });
  }
  await vi.waitFor(async () => expect(await messages({})).toHaveLength(4), { timeout: 10_000 });
});

afterAll(() => worker.stop());

type Query = NonNullable<Parameters<HatchetClient['api']['v1TenantLogLineList']>[1]>;

async function messages(query: Query): Promise<string[]> {
  const { data } = await hatchet.api.v1TenantLogLineList(tenantId, query);
  return (data.rows ?? []).map(({ message }) => message);
}

const all = ['one: the first', 'one: it BREAKS', 'two: before', 'two: after'];
const idOf = async (name: string): Promise<string> => (await hatchet.workflows.get(name)).metadata.id;
const taskOf = (name: string): string => ids.get(name)?.task ?? '';
const as = (token: string, path: string): Promise<Reply> => restRequest(fixture.engine, path, { token });
const asStranger = (path: string): Promise<Reply> => as(stranger.token, path);

async function stepIdOf(workflow: string, name: string): Promise<string> {
  const { data } = await hatchet.api.workflowVersionGet(await idOf(workflow));
  const steps = data.jobs?.flatMap((job) => job.steps) ?? [];
  return steps.find(({ readableId }) => readableId === name)?.metadata.id ?? '';
}

describe('log lines of all tasks', () => {
  test('by their time, from either end, each with its task', async () => {
    expect(await messages({})).toEqual(all);
    expect(await messages({ order_by_direction: V1LogLineOrderByDirection.DESC })).toEqual(all.toReversed());
    const { data } = await hatchet.api.v1TenantLogLineList(tenantId, { limit: 3 });
    expect(data).toMatchObject({
      pagination: { next_page: 2 },
      rows: [
        { taskExternalId: taskOf('logs-one'), taskDisplayName: 'logs-one', level: 'INFO', attempt: 1, retryCount: 0 },
        { level: 'ERROR' },
        { taskExternalId: taskOf('logs-two'), taskDisplayName: 'before' },
      ],
    });
  });

  test('of a level, with a text, of an attempt, of tasks, workflows and steps', async () => {
    expect(await messages({ levels: [V1LogLineLevel.ERROR, V1LogLineLevel.WARN] })).toEqual([all[1], all[3]]);
    expect(await messages({ search: 'it breaks' })).toEqual([all[1]]);
    expect(await messages({ attempt: 1 })).toEqual(all);
    expect(await messages({ attempt: 2 })).toEqual([]);
    expect(await messages({ taskExternalIds: [taskOf('logs-two')] })).toEqual([all[2]]);
    expect(
      await messages({ taskExternalIds: [taskOf('logs-two')], order_by_direction: V1LogLineOrderByDirection.DESC }),
    ).toEqual([all[2]]);
    expect(await messages({ workflow_ids: [await idOf('logs-two')] })).toEqual([all[2], all[3]]);
    expect(await messages({ step_ids: [await stepIdOf('logs-two', 'after')] })).toEqual([all[3]]);
    expect(await messages({ step_ids: [newId()] })).toEqual([]);
  });

  test('of a window, of 8 days at most unless tasks are named', async () => {
    const day = 86_400_000;
    const iso = (ms: number): string => new Date(ms).toISOString();
    expect(await messages({ until: iso(from) })).toEqual([]);
    expect(await messages({ since: iso(Date.now() + day), until: iso(Date.now() + 2 * day) })).toEqual([]);
    expect(await messages({ since: iso(from - 7 * day) })).toEqual(all);
    expect(await messages({ since: iso(from - 30 * day), taskExternalIds: [taskOf('logs-two')] })).toEqual([all[2]]);
    for (const query of [
      `since=${iso(from - 9 * day)}`,
      'levels=LOUD',
      'limit=0',
      'since=x',
      'step_ids=x',
      'attempt=-1',
    ])
      expect([query, (await as(fixture.token, `${base}/logs?${query}`)).status]).toEqual([query, 400]);
  });

  test('of another tenant none, though the tasks, workflows and steps are named', async () => {
    expect((await asStranger(`${base}/logs`)).status).toBe(404);
    const queries = [
      '',
      `taskExternalIds=${taskOf('logs-one')}`,
      `workflow_ids=${await idOf('logs-two')}`,
      `step_ids=${await stepIdOf('logs-two', 'after')}`,
    ];
    for (const query of queries) {
      const logs = await asStranger(`/api/v1/stable/tenants/${stranger.tenantId}/logs?${query}`);
      expect([query, logs.status, Object(logs.body).rows]).toEqual([query, 200, []]);
      const points = await asStranger(`/api/v1/stable/tenants/${stranger.tenantId}/log-point-metrics?${query}`);
      expect([query, linesIn(Object(points.body).results)]).toEqual([query, 0]);
    }
  });
});

function linesIn(points: readonly { DEBUG: number; INFO: number; WARN: number; ERROR: number }[]): number {
  return points.reduce((sum, { DEBUG, INFO, WARN, ERROR }) => sum + DEBUG + INFO + WARN + ERROR, 0);
}

describe('log lines over time', () => {
  test('by level, in points, of all tasks and of those that are meant', async () => {
    const read = async (query: Query) =>
      (await hatchet.api.v1TenantLogLineGetPointMetrics(tenantId, query)).data.results ?? [];
    const rows = await read({ since: new Date(from - 600_000).toISOString() });
    expect(rows.length).toBeGreaterThanOrEqual(11);
    const sum = (level: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR'): number =>
      rows.reduce((total, row) => total + row[level], 0);
    expect([sum('DEBUG'), sum('INFO'), sum('WARN'), sum('ERROR')]).toEqual([0, 2, 1, 1]);
    const written = rows.filter((row) => linesIn([row]) > 0).map(({ time }) => Date.parse(time));
    expect(Math.min(...written)).toBeGreaterThanOrEqual(Math.floor(from / 60_000) * 60_000);
    expect(linesIn(await read({}))).toBe(4);
    expect(linesIn(await read({ workflow_ids: [await idOf('logs-one')] }))).toBe(2);
    expect(linesIn(await read({ taskExternalIds: [taskOf('logs-two')] }))).toBe(1);
    expect(linesIn(await read({ search: 'two:', levels: [V1LogLineLevel.WARN] }))).toBe(1);
    const tooLong = `${base}/log-point-metrics?since=${new Date(from - 9 * 86_400_000).toISOString()}`;
    expect((await as(fixture.token, tooLong)).status).toBe(400);
  });
});

describe('the trace of a run', () => {
  test('a page of its spans at a time, as the contract has them; of another tenant none', async () => {
    const { clients } = fixture;
    const runId = ids.get('logs-one')?.run ?? '';
    const traceId = randomBytes(16);
    const startNs = BigInt(Date.now()) * 1_000_000n;
    const none = { droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0, flags: 0, traceState: '' };
    const spans = Array.from({ length: 3 }, (_, n) => ({
      ...none,
      traceId,
      spanId: randomBytes(8),
      parentSpanId: Buffer.alloc(0),
      name: `span ${n}`,
      kind: Span_SpanKind.SPAN_KIND_CLIENT,
      startTimeUnixNano: startNs + BigInt(n),
      endTimeUnixNano: startNs + 1_000n,
      attributes: [
        { key: 'hatchet.workflow_run_id', value: { value: { $case: 'stringValue' as const, value: runId } } },
        { key: 'n', value: { value: { $case: 'intValue' as const, value: BigInt(n) } } },
      ],
      events: [],
      links: [],
      status: { code: Status_StatusCode.STATUS_CODE_ERROR, message: 'broken' },
    }));
    const service = { key: 'service.name', value: { value: { $case: 'stringValue' as const, value: 'shop' } } };
    await clients.call(clients.traces, clients.traces.export, {
      resourceSpans: [
        {
          resource: { attributes: [service], droppedAttributesCount: 0 },
          schemaUrl: '',
          scopeSpans: [
            { scope: { name: 'lib', version: '1.2', attributes: [], droppedAttributesCount: 0 }, schemaUrl: '', spans },
          ],
        },
      ],
    });
    const read = async (query: { offset?: number; limit?: number }) =>
      (await hatchet.api.v1ObservabilityGetTrace(tenantId, { run_external_id: runId, ...query })).data;
    const whole = await read({});
    expect(whole.rows?.map(({ spanName }) => spanName)).toEqual(['span 0', 'span 1', 'span 2']);
    expect(whole.rows?.[1]).toEqual({
      traceId: traceId.toString('hex'),
      spanId: spans[1]?.spanId.toString('hex'),
      spanName: 'span 1',
      spanKind: 'CLIENT',
      serviceName: 'shop',
      statusCode: 'ERROR',
      statusMessage: 'broken',
      durationNs: 999,
      createdAt: new Date(Number(startNs / 1_000_000n)).toISOString(),
      resourceAttributes: { 'service.name': 'shop' },
      spanAttributes: { 'hatchet.workflow_run_id': runId, n: '1' },
      scopeName: 'lib',
      scopeVersion: '1.2',
      retryCount: 0,
    });
    expect(await read({ offset: 1, limit: 1 })).toMatchObject({
      pagination: { current_page: 2, next_page: 3 },
      rows: [{ spanName: 'span 1' }],
    });
    const path = `/api/v1/stable/tenants/${stranger.tenantId}/traces?run_external_id=${runId}`;
    expect(await asStranger(path)).toMatchObject({ status: 200, body: { rows: [] } });
    expect((await asStranger(`${base}/traces?run_external_id=${runId}`)).status).toBe(404);
    expect((await as(fixture.token, `${base}/traces`)).status).toBe(400);
    expect((await as(fixture.token, `${base}/traces?run_external_id=x`)).status).toBe(400);
  });
});
