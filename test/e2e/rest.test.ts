import { setTimeout as delay } from 'node:timers/promises';
import { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/index.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../engine/model/ids/uuid.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';

const fixture = engineFixture('rest');
let hatchet: HatchetClient;
let worker: Awaited<ReturnType<HatchetClient['worker']>>;
let tenantId: string;

interface Reply {
  status: number;
  body: unknown;
}

async function request(
  method: string,
  path: string,
  options: { body?: string; token?: string | null } = {},
): Promise<Reply> {
  const token = options.token === undefined ? fixture.engine.token : options.token;
  const response = await fetch(`http://127.0.0.1:${fixture.engine.http.port}${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
    ...(options.body === undefined ? {} : { body: options.body }),
  });
  const text = await response.text();
  return {
    status: response.status,
    body: text.startsWith('{') || text.startsWith('[') || text.startsWith('"') ? JSON.parse(text) : text,
  };
}

beforeAll(async () => {
  process.env['HATCHET_CLIENT_LOG_LEVEL'] = 'OFF';
  hatchet = HatchetClient.init({ token: fixture.engine.token, tls_config: { tls_strategy: 'none' } });
  tenantId = hatchet.tenantId;

  const dag = hatchet.workflow<{ n: number }, { first: { n: number }; second: { n: number } }>({ name: 'rest-dag' });
  const first = dag.task({
    name: 'first',
    fn: async (input, context) => (await context.logger.info('the first line'), { n: input.n + 1 }),
  });
  dag.task({
    name: 'second',
    parents: [first],
    fn: async (_input, context) => ({ n: (await context.parentOutput(first)).n * 10 }),
  });
  const evented = hatchet.task({ name: 'rest-evented', onEvents: ['rest:event'], fn: () => ({}) });
  const child = hatchet.task({ name: 'rest-child', fn: (input: { n: number }) => ({ n: input.n }) });
  const parent = hatchet.task({
    name: 'rest-parent',
    fn: async () => ({ children: (await Promise.all([1, 2, 3].map((n) => child.run({ n })))).length }),
  });
  const failing = hatchet.task({
    name: 'rest-failing',
    fn: () => {
      throw new Error('it does not work');
    },
  });
  const waiting = hatchet.task({
    name: 'rest-waiting',
    fn: (_input, context) => delay(60_000, {}, { signal: context.abortController.signal }),
  });
  worker = await hatchet.worker('rest', {
    workflows: [dag, evented, child, parent, failing, waiting],
    slots: 20,
    handleKill: false,
  });
  void worker.start();
  await worker.waitUntilReady();
});

afterAll(async () => {
  await worker.stop();
});

async function finished(workflow: string, input: { n?: number }, options = {}): Promise<string> {
  const ref = await hatchet.runNoWait(workflow, input, options);
  await ref.output.catch(() => undefined);
  return ref.getWorkflowRunId();
}

describe('health and access', () => {
  test('health needs no token', async () => {
    for (const path of ['/api/live', '/api/ready', '/api/v1/version', '/api/v1/meta'])
      expect((await request('GET', path, { token: null })).status).toBe(200);
  });

  test('everything else needs a good one', async () => {
    for (const token of [null, 'nonsense', `${fixture.engine.token}x`]) {
      const reply = await request('GET', `/api/v1/tenants/${tenantId}`, { token });
      expect(reply.status).toBe(401);
      expect(reply.body).toEqual({ errors: [expect.objectContaining({ description: expect.any(String) })] });
    }
  });

  test('the client reads its tenant', async () => {
    expect(await hatchet.tenant.get()).toMatchObject({ metadata: { id: tenantId }, name: 'default', version: 'V1' });
  });

  test('what is malformed is refused with the reason', async () => {
    const st = `/api/v1/stable/tenants/${tenantId}`;
    const t = `/api/v1/tenants/${tenantId}`;
    const unknownId = crypto.randomUUID();
    const bad: [string, string, string | undefined, number][] = [
      ['GET', `${st}/workflow-runs?limit=0`, undefined, 400],
      ['GET', `${st}/workflow-runs?since=yesterday`, undefined, 400],
      ['GET', `${st}/workflow-runs?statuses=HAPPY`, undefined, 400],
      ['GET', `${st}/workflow-runs?workflow_ids=x`, undefined, 400],
      ['GET', `${st}/workflow-runs?additional_metadata=a%00b:c`, undefined, 400],
      ['POST', `${st}/workflow-runs/trigger`, '{', 400],
      ['POST', `${st}/workflow-runs/trigger`, '[]', 400],
      ['POST', `${st}/workflow-runs/trigger`, '{"workflowName":"none","input":{}}', 404],
      ['POST', `${st}/workflow-runs/trigger`, '{"workflowName":"rest-dag","input":{"a":"\\u0000"}}', 400],
      ['POST', `${st}/workflow-runs/trigger`, '{"workflowName":"rest-dag","input":{},"priority":9}', 400],
      [
        'POST',
        `${st}/workflow-runs/trigger`,
        JSON.stringify({ workflowName: 'rest-dag', input: { a: 'x'.repeat(5 * 1024 * 1024) } }),
        413,
      ],
      [
        'POST',
        `${st}/workflow-runs/trigger`,
        JSON.stringify({ workflowName: 'rest-dag', input: { a: 'x'.repeat(12 * 1024 * 1024) } }),
        413,
      ],
      ['POST', `${st}/tasks/cancel`, '{"filter":{}}', 400],
      ['POST', `${st}/tasks/cancel`, '{"filter":{"since":"2026-01-01T00:00:00Z","workflowIds":["x"]}}', 400],
      ['POST', `${st}/tasks/replay`, '{"filter":{}}', 400],
      ['POST', `${st}/durable-tasks/branch`, '{}', 400],
      ['POST', `${st}/durable-tasks/branch`, JSON.stringify({ taskExternalId: unknownId, nodeId: 1 }), 404],
      ['POST', `/api/v1/stable/tasks/${unknownId}/restore`, undefined, 404],
      ['POST', `${t}/events`, '{"data":{}}', 400],
      ['POST', `${t}/events`, '{"key":"a","data":{"x":"\\u0000"}}', 400],
      ['POST', `${t}/events/bulk`, '{"events":1}', 400],
      ['GET', `${st}/events/${unknownId}`, undefined, 404],
      ['POST', `${st}/filters`, '{"workflowId":"x"}', 400],
      ['POST', `${st}/filters`, JSON.stringify({ workflowId: unknownId, scope: 's', expression: 'true' }), 404],
      ['POST', `${st}/filters`, JSON.stringify({ workflowId: unknownId, scope: 's', expression: 'input.' }), 400],
      ['DELETE', `${st}/filters/${unknownId}`, undefined, 404],
      ['POST', `${t}/workflows/rest-dag/crons`, '{"cronName":"x","cronExpression":"61 * * * *"}', 400],
      [
        'POST',
        `${t}/workflows/rest-dag/crons`,
        '{"cronName":"x","cronExpression":"* * * * *","timezone":"No/Where"}',
        400,
      ],
      ['POST', `${t}/workflows/none/crons`, '{"cronName":"x","cronExpression":"* * * * *"}', 404],
      ['PATCH', `${t}/workflows/crons/${unknownId}`, '{"enabled":true}', 404],
      ['POST', `${t}/workflows/rest-dag/scheduled`, '{"triggerAt":"soon"}', 400],
      ['DELETE', `${t}/workflows/scheduled/${unknownId}`, undefined, 404],
      ['POST', `${t}/workflows/scheduled/bulk-delete`, '{"filter":{}}', 400],
      ['PATCH', `/api/v1/workflows/${unknownId}`, '{"isPaused":true}', 404],
      ['GET', '/api/v1/nothing', undefined, 404],
    ];
    for (const [method, path, body, status] of bad) {
      const reply = await request(method, path, body === undefined ? {} : { body });
      expect([path, reply.status]).toEqual([path, status]);
      expect(reply.body).toEqual({ errors: [expect.objectContaining({ description: expect.any(String) })] });
    }
  });
});

describe('runs', () => {
  test('a run of a DAG, whole', async () => {
    const id = await finished('rest-dag', { n: 4 }, { additionalMetadata: { team: 'blue' } });
    const { data } = await hatchet.api.v1WorkflowRunGet(id);
    expect(data.run).toMatchObject({
      metadata: { id },
      tenantId,
      status: 'COMPLETED',
      input: { n: 4 },
      output: { first: { n: 5 }, second: { n: 50 } },
      additionalMetadata: { team: 'blue' },
    });
    expect(Date.parse(data.run.finishedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(data.run.startedAt ?? ''));
    expect(
      data.tasks.map((task) => [task.actionId, task.status, task.retryCount, task.numSpawnedChildren, task.output]),
    ).toEqual([
      ['rest-dag:first', 'COMPLETED', 0, 0, { n: 5 }],
      ['rest-dag:second', 'COMPLETED', 0, 0, { n: 50 }],
    ]);
    for (const task of data.tasks) {
      for (const key of [
        'metadata',
        'createdAt',
        'displayName',
        'input',
        'output',
        'numSpawnedChildren',
        'status',
        'taskExternalId',
        'taskId',
        'taskInsertedAt',
        'tenantId',
        'type',
        'workflowId',
        'workflowRunExternalId',
      ] as const) {
        expect([key, task[key]]).not.toEqual([key, undefined]);
      }
    }
    const [first, second] = data.shape;
    expect(first?.childrenStepIds).toEqual([second?.stepId]);
    expect(second?.childrenStepIds).toEqual([]);
    const types = data.taskEvents
      .filter((event) => event.taskId === first?.taskExternalId)
      .map((event) => event.eventType);
    expect(types).toEqual(expect.arrayContaining(['QUEUED', 'ASSIGNED', 'STARTED', 'FINISHED']));
    expect((await hatchet.api.v1WorkflowRunGetStatus(id)).data).toBe('COMPLETED');
    const timings = (await hatchet.api.v1WorkflowRunGetTimings(id)).data.rows;
    expect(timings.map((timing) => [timing.depth, timing.status])).toEqual([
      [0, 'COMPLETED'],
      [1, 'COMPLETED'],
    ]);
    const graph = (await hatchet.api.workflowRunGetShape(tenantId, id)).data;
    const [job] = graph.jobRuns ?? [];
    const names = new Map(job?.job?.steps.map((step) => [step.metadata.id, step.readableId]));
    expect(job?.stepRuns?.map((step) => [names.get(step.stepId), step.status, step.output])).toEqual([
      ['first', 'SUCCEEDED', '{"n":5}'],
      ['second', 'SUCCEEDED', '{"n":50}'],
    ]);
  });

  test('one task: its details, its events, its log', async () => {
    const id = await finished('rest-dag', { n: 1 });
    const task = await hatchet.runs.getTaskExternalId(id);
    expect((await hatchet.api.v1TaskGet(task)).data).toMatchObject({
      taskExternalId: task,
      workflowRunExternalId: id,
      status: 'COMPLETED',
    });
    expect((await hatchet.api.v1TaskEventList(task)).data.rows?.every((event) => event.taskId === task)).toBe(true);
    await expect
      .poll(async () => (await hatchet.logs.list(task)).rows?.map((line) => line.message))
      .toEqual(['the first line']);
    expect((await hatchet.logs.list(task, { search: 'nothing' })).rows).toEqual([]);
    expect((await hatchet.logs.list(task, { until: new Date(0) })).rows).toEqual([]);
  });

  test('a failure and its message', async () => {
    const id = await finished('rest-failing', {});
    const { data } = await hatchet.api.v1WorkflowRunGet(id);
    expect(data.run).toMatchObject({ status: 'FAILED', errorMessage: 'it does not work' });
    expect(data.tasks[0]).toMatchObject({ status: 'FAILED', errorMessage: 'it does not work' });
  });

  test('children are counted, and listed by their parent', async () => {
    const id = await finished('rest-parent', {});
    const { data } = await hatchet.api.v1WorkflowRunGet(id);
    expect(data.tasks[0]?.numSpawnedChildren).toBe(3);
    const children = await hatchet.runs.list({ parentTaskExternalId: data.tasks[0]?.taskExternalId ?? '' });
    expect(children.rows.map((row) => [row.workflowName, row.status])).toEqual(
      Array.from({ length: 3 }, () => ['rest-child', 'COMPLETED']),
    );
  });

  test('lists: by metadata, status, workflow and time, in pages, with and without payloads, as tasks', async () => {
    const mark = newId();
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) ids.push(await finished('rest-dag', { n }, { additionalMetadata: { mark } }));
    const failed = await finished('rest-failing', {}, { additionalMetadata: { mark } });
    const list = async (options: Parameters<HatchetClient['runs']['list']>[0]): Promise<string[]> =>
      (await hatchet.runs.list({ additionalMetadata: { mark }, ...options })).rows.map((row) => row.metadata.id);
    const newestFirst = [failed, ...ids.toReversed()];
    expect(await list({})).toEqual(newestFirst);
    expect(await list({ workflowNames: ['rest-failing'] })).toEqual([failed]);
    expect(await list({ limit: 2, offset: 1 })).toEqual(newestFirst.slice(1, 3));
    expect(await list({ since: new Date(Date.now() + 60_000) })).toEqual([]);
    expect(await list({ until: new Date(Date.now() - 60_000) })).toEqual([]);
    const statuses = await request(
      'GET',
      `/api/v1/stable/tenants/${tenantId}/workflow-runs?only_tasks=false&since=2020-01-01T00:00:00Z&statuses=FAILED&additional_metadata=mark:${mark}`,
    );
    expect(statuses.body).toMatchObject({ rows: [{ metadata: { id: failed }, status: 'FAILED' }] });
    const page = await hatchet.runs.list({ additionalMetadata: { mark }, limit: 4 });
    expect(page.pagination).toEqual({ current_page: 1, next_page: 2, num_pages: 2 });
    expect(page.rows[1]).toMatchObject({
      type: 'DAG',
      input: { n: 4 },
      children: [{ type: 'TASK' }, { type: 'TASK' }],
    });
    const bare = await hatchet.runs.list({ additionalMetadata: { mark }, includePayloads: false });
    expect(bare.rows[1]).toMatchObject({ input: {}, output: {} });
    const tasks = await hatchet.runs.list({ additionalMetadata: { mark }, onlyTasks: true });
    expect(tasks.rows).toHaveLength(11);
    expect(new Set(tasks.rows.map((row) => row.type))).toEqual(new Set(['TASK']));
    const workerId = (await hatchet.workers.list()).rows?.[0]?.metadata.id ?? '';
    expect((await hatchet.runs.list({ additionalMetadata: { mark }, onlyTasks: true, workerId })).rows).toHaveLength(
      11,
    );
    expect(
      (await hatchet.runs.list({ additionalMetadata: { mark }, onlyTasks: true, workerId: newId() })).rows,
    ).toEqual([]);
    expect(await list({ workerId })).toEqual(newestFirst);
    expect(await list({ workerId: newId() })).toEqual([]);
  });

  test('those that an event has started, and no others', async () => {
    const event = await hatchet.events.push('rest:event', { n: 1 });
    const started = (await hatchet.api.v1EventGet(tenantId, event.eventId)).data.triggeredRuns?.map(
      (run) => run.workflowRunId,
    );
    expect(started).toHaveLength(1);
    await hatchet.events.push('rest:event', { n: 2 });
    for (const onlyTasks of [false, true]) {
      const list = async (eventId: string): Promise<(string | undefined)[]> =>
        (await hatchet.runs.list({ triggeringEventExternalId: eventId, onlyTasks })).rows.map(
          (row) => row.workflowRunExternalId,
        );
      expect(await list(event.eventId)).toEqual(started);
      expect(await list(newId())).toEqual([]);
    }
  });

  test('counted by status: all, of workflows, of an event, of a parent', async () => {
    const mark = newId();
    const done = [
      await finished('rest-dag', { n: 1 }, { additionalMetadata: { mark } }),
      await finished('rest-dag', { n: 2 }, { additionalMetadata: { mark } }),
    ];
    await finished('rest-failing', {}, { additionalMetadata: { mark } });
    const waiting = await (
      await hatchet.runNoWait('rest-waiting', {}, { additionalMetadata: { mark } })
    ).getWorkflowRunId();
    await expect.poll(() => hatchet.runs.get_status(waiting)).toBe('RUNNING');
    const counts = async (query: string): Promise<unknown> =>
      (await request('GET', `/api/v1/stable/tenants/${tenantId}/task-metrics?since=2020-01-01T00:00:00Z&${query}`))
        .body;
    const of = (queued: number, running: number, completed: number, failed: number, cancelled: number): unknown =>
      Object.entries({
        QUEUED: queued,
        RUNNING: running,
        COMPLETED: completed,
        FAILED: failed,
        CANCELLED: cancelled,
      }).map(([status, count]) => ({ status, count }));
    expect(await counts(`additional_metadata=mark:${mark}`)).toEqual(of(0, 1, 2, 1, 0));
    await hatchet.runs.cancel({ ids: [waiting] });
    expect(await counts(`additional_metadata=mark:${mark}`)).toEqual(of(0, 0, 2, 1, 1));
    const { metadata } = await hatchet.workflows.get('rest-failing');
    expect(await counts(`additional_metadata=mark:${mark}&workflow_ids=${metadata.id}`)).toEqual(of(0, 0, 0, 1, 0));
    expect(await counts(`additional_metadata=mark:${mark}&until=2021-01-01T00:00:00Z`)).toEqual(of(0, 0, 0, 0, 0));
    const parent = await finished('rest-parent', {});
    expect(await counts(`parent_task_external_id=${parent}`)).toEqual(of(0, 0, 3, 0, 0));
    const event = await hatchet.events.push('rest:event', {});
    await expect.poll(() => counts(`triggering_event_external_id=${event.eventId}`)).toEqual(of(0, 0, 1, 0, 0));
    // A replayed run counts once, as what it is now.
    await hatchet.runs.replay({ ids: done });
    await expect.poll(() => counts(`additional_metadata=mark:${mark}`)).toEqual(of(0, 0, 2, 1, 1));
    expect(
      await hatchet.metrics.getTaskStatusMetrics({ since: new Date(Date.now() - 60_000).toISOString() }),
    ).toMatchObject({ completed: expect.any(Number), queued: 0 });
  });

  test('an expression can be tried', async () => {
    const tried = async (expression: string): Promise<unknown> =>
      (
        await request('POST', `/api/v1/stable/tenants/${tenantId}/cel/debug`, {
          body: JSON.stringify({
            expression,
            input: { n: 2 },
            additionalMetadata: { who: 'me' },
            filterPayload: { least: 1 },
          }),
        })
      ).body;
    expect(await tried("input.n > payload.least && additional_metadata.who == 'me'")).toEqual({
      status: 'SUCCESS',
      output: true,
    });
    expect(await tried('[1, 2].all(n, n > input.n)')).toEqual({ status: 'SUCCESS', output: false });
    expect(await tried('input.n >')).toEqual({ status: 'ERROR', error: expect.stringContaining('input.n >') });
    expect(await tried('input.missing > 1')).toEqual({ status: 'ERROR', error: expect.any(String) });
    expect(await tried('input.n')).toEqual({
      status: 'ERROR',
      error: 'the expression gives 2, which is neither true nor false',
    });
  });

  test('triggered over REST, it is readable at once and runs', async () => {
    const reply = await request('POST', `/api/v1/stable/tenants/${tenantId}/workflow-runs/trigger`, {
      body: JSON.stringify({
        workflowName: 'rest-dag',
        input: { n: 7 },
        additionalMetadata: { by: 'rest' },
        priority: 3,
      }),
    });
    expect(reply).toMatchObject({
      status: 200,
      body: { run: { input: { n: 7 }, additionalMetadata: { by: 'rest' } } },
    });
    const [triggered] = (await hatchet.runs.list({ additionalMetadata: { by: 'rest' } })).rows;
    await expect.poll(() => hatchet.runs.get_status(triggered?.metadata.id ?? '')).toBe('COMPLETED');
  });

  test('cancelled by id and by filter', async () => {
    const mark = newId();
    const refs = await Promise.all(
      Array.from({ length: 4 }, () => hatchet.runNoWait('rest-waiting', {}, { additionalMetadata: { mark } })),
    );
    const ids = await Promise.all(refs.map((ref) => ref.getWorkflowRunId()));
    const [one = ''] = ids;
    expect((await hatchet.runs.cancel({ ids: [one] })).data.ids).toEqual([one]);
    expect(await hatchet.runs.get_status(one)).toBe('CANCELLED');
    const rest = (await hatchet.runs.cancel({ filters: { additionalMetadata: { mark } } })).data.ids;
    expect(rest?.toSorted()).toEqual(ids.slice(1).toSorted());
    for (const id of ids) expect(await hatchet.runs.get_status(id)).toBe('CANCELLED');
    expect((await hatchet.runs.cancel({ ids: [...ids, newId()] })).data.ids).toEqual([]);
  });
});

describe('workers and workflows', () => {
  test('a worker is listed with what it runs, and can be paused', async () => {
    const [row] = (await hatchet.workers.list()).rows ?? [];
    expect(row).toMatchObject({
      name: 'rest',
      type: 'SELFHOSTED',
      status: 'ACTIVE',
      slotConfig: { default: { limit: 20 } },
      runtimeInfo: { language: 'TYPESCRIPT' },
    });
    expect(row?.registeredWorkflows?.map(({ name }) => name)).toContain('rest-dag');
    const id = row?.metadata.id ?? '';
    await hatchet.workers.pause(id);
    expect((await hatchet.workers.get(id)).status).toBe('PAUSED');
    await hatchet.workers.unpause(id);
    expect((await hatchet.workers.get(id)).status).toBe('ACTIVE');
    expect(await finished('rest-dag', { n: 1 })).toBeTruthy();
  });

  test('workflows by name and id, and the newest version', async () => {
    const workflow = await hatchet.workflows.get('rest-dag');
    expect(workflow).toMatchObject({ name: 'rest-dag', tenantId, versions: [{ order: 1 }] });
    const steps = workflow.jobs?.[0]?.steps ?? [];
    expect(steps.map((step) => step.readableId)).toEqual(['first', 'second']);
    expect(steps[1]?.parents).toEqual([steps[0]?.metadata.id]);
    expect((await hatchet.api.workflowGet(workflow.metadata.id)).data).toEqual(workflow);
    expect((await hatchet.api.workflowVersionGet(workflow.metadata.id)).data).toMatchObject({
      workflowId: workflow.metadata.id,
      order: 1,
    });
    const page = await hatchet.workflows.list({ limit: 2 });
    expect(page.rows).toHaveLength(2);
    expect(page.pagination?.next_page).toBe(2);
    await expect(hatchet.workflows.get('no-such')).rejects.toThrow('not found');
    expect(await hatchet.metrics.getQueueMetrics()).toMatchObject({ queues: { 'rest-dag:first': 0 } });
  });
});
