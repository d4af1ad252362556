import { status, type ClientReadableStream, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LiveFlag, LiveState } from '../../engine/model/task/live-state.ts';
import { newId } from '../../engine/model/ids/uuid.ts';
import { StepActionEventType } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import { Action } from '../../proto/gen/hatchet/contract/v1/condition.ts';
import type {
  DurableEvent,
  DurableTaskRequest,
  DurableTaskResponse,
} from '../../proto/gen/hatchet/contract/v1/dispatcher.ts';
import type { Hatchet, WorkflowRunRef } from '../../sdk/index.ts';
import { GrpcClients } from '../helpers/grpc-client.ts';
import { makeNeighbour } from '../helpers/neighbour.ts';
import { patient } from '../helpers/patient.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';

/** A tenant with a running task and a sleeping durable one, and another tenant of the same shard that gets to know all ids. */
const fixture = engineFixture('tenants', { allowSkip: true });
let worker: Awaited<ReturnType<Hatchet['worker']>>;
let stranger: GrpcClients;
let durable: WorkflowRunRef<{ word: string }>;
let plain: WorkflowRunRef<{ done: boolean }>;
let ended: WorkflowRunRef<{ n: number }>;
let finish: () => void;
/** By what they are of. */
let ids: Record<
  'durable' | 'plain' | 'ended' | 'worker' | 'workflow' | 'cron' | 'schedule' | 'filter' | 'event' | 'tenant',
  string
>;
let strangerRest: { tenantId: string; token: string };

beforeAll(async () => {
  strangerRest = await makeNeighbour(fixture.database.pool, fixture.dataDir);
  stranger = new GrpcClients({ host: '127.0.0.1', port: fixture.engine.grpc.port }, strangerRest.token);

  const waits = fixture.hatchet.durableTask({
    name: 'waits',
    fn: async (_input: object, ctx) => {
      await ctx.memo(['first'], () => 1);
      return await ctx.waitForEvent<{ word: string }>('word');
    },
  });
  const release = new Promise<void>((resolve) => (finish = resolve));
  const runs = fixture.hatchet.task({ name: 'runs', retries: 3, fn: async () => (await release, { done: true }) });
  const quick = fixture.hatchet.task({ name: 'quick', fn: (input: { n: number }) => ({ n: input.n }) });
  worker = await fixture.hatchet.worker('own', { workflows: [waits, runs, quick], handleKill: false });
  void worker.start();
  await worker.waitUntilReady();
  ended = await quick.runNoWait({ n: 1 });
  await ended.output;
  [durable, plain] = [await waits.runNoWait({}), await runs.runNoWait({})];
  const workflow = (await fixture.hatchet.workflows.get('quick')).metadata.id;
  ids = {
    durable: await durable.getWorkflowRunId(),
    plain: await plain.getWorkflowRunId(),
    ended: await ended.getWorkflowRunId(),
    worker: (await fixture.hatchet.workers.list()).rows?.[0]?.metadata.id ?? '',
    workflow,
    cron: (await fixture.hatchet.crons.create('quick', { name: 'yearly', expression: '0 0 1 1 *' })).metadata.id,
    schedule: (await fixture.hatchet.scheduled.create('quick', { triggerAt: new Date(Date.now() + 86_400_000) }))
      .metadata.id,
    filter: (await fixture.hatchet.filters.create({ workflowId: workflow, scope: 's', expression: 'true' })).metadata
      .id,
    event: (await fixture.hatchet.events.push('heard by nobody', {})).eventId,
    tenant: fixture.hatchet.tenantId,
  };
  await vi.waitFor(async () => {
    const [live, ...others] = await stored();
    // Started, too: nothing of theirs is on its way any more.
    expect(live).toEqual(
      [1, 2].map(() => expect.objectContaining({ state: LiveState.Running, flags: LiveFlag.Started })),
    );
    expect(others[5]).toHaveLength(2);
  }, patient);
});

afterAll(async () => {
  finish();
  stranger.close();
  await worker.stop();
});

const tables = [
  'SELECT * FROM live ORDER BY task_id',
  'SELECT * FROM history ORDER BY task_id, seq',
  'SELECT * FROM result ORDER BY task_id, generation',
  'SELECT * FROM run_end ORDER BY run_id, generation',
  'SELECT task_id, message FROM log_line ORDER BY task_id, id',
  'SELECT task_id, number FROM stream_chunk ORDER BY task_id, number',
  'SELECT * FROM durable_entry ORDER BY task_id, branch, node',
  'SELECT * FROM durable_result ORDER BY task_id, branch, node, condition',
  'SELECT * FROM durable_listen ORDER BY task_id, branch, node, condition',
  'SELECT id, labels, paused, ended_at FROM worker ORDER BY id',
  'SELECT id, paused FROM workflow ORDER BY id',
  'SELECT * FROM cron ORDER BY id',
  'SELECT * FROM schedule ORDER BY id',
  'SELECT * FROM filter ORDER BY id',
];

/** All that the other tenant could change. */
async function stored(): Promise<unknown[][]> {
  const found: unknown[][] = [];
  for (const sql of tables) found.push((await fixture.database.pool.query<Record<string, unknown>>(sql)).rows);
  return found;
}

/** What a caller hears, without the id that it gave. */
async function heard(call: (id: string) => Promise<unknown>, id: string): Promise<string> {
  const text = await call(id).then(
    (response) => JSON.stringify(response, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value)),
    (error: ServiceError) => `${status[error.code]}: ${error.details}`,
  );
  return text.replaceAll(id, '?');
}

/** The first message of a stream; or how it ends, which is an error where it was refused. */
function first(stream: ClientReadableStream<object>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    stream.on('data', (message: object) => {
      resolve(message);
      stream.cancel();
    });
    stream.on('error', reject);
    stream.on('end', () => resolve('ended'));
  });
}

/** What a durable stream says to the messages, up to this; or that it was refused. */
function converse(messages: readonly NonNullable<DurableTaskRequest['message']>[], until: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const stream = stranger.durable.durableTask(stranger.metadata());
    stream.on('error', reject);
    stream.on('data', ({ message }: DurableTaskResponse) => {
      if (message?.$case !== until) return;
      stream.cancel();
      resolve(message);
    });
    for (const message of messages) stream.write({ message });
  });
}

const now = new Date();
const report = (id: string, eventType: StepActionEventType) => ({
  workerId: ids.worker,
  jobId: '',
  jobRunId: '',
  taskId: '',
  taskRunExternalId: id,
  actionId: 'runs:runs',
  retryCount: 0,
  eventTimestamp: now,
  eventType,
  eventPayload: '{"message":"not yours"}',
  shouldNotRetry: true,
});

describe('another tenant, even of the same shard', () => {
  it.each<[string, keyof typeof ids, (id: string) => Promise<unknown>]>([
    [
      'CancelTasks',
      'plain',
      (id) => stranger.call(stranger.admin, stranger.admin.cancelTasks, { externalIds: [id], filter: undefined }),
    ],
    [
      'ReplayTasks',
      'ended',
      (id) => stranger.call(stranger.admin, stranger.admin.replayTasks, { externalIds: [id], filter: undefined }),
    ],
    ['GetRunDetails', 'ended', (id) => stranger.call(stranger.admin, stranger.admin.getRunDetails, { externalId: id })],
    [
      'BranchDurableTask',
      'durable',
      (id) =>
        stranger.call(stranger.admin, stranger.admin.branchDurableTask, {
          taskExternalId: id,
          nodeId: 1n,
          branchId: 1n,
        }),
    ],
    [
      'PutLog',
      'plain',
      (id) =>
        stranger.call(stranger.events, stranger.events.putLog, {
          taskRunExternalId: id,
          createdAt: now,
          message: 'not yours',
          level: 'INFO',
          metadata: '',
          taskRetryCount: 0,
        }),
    ],
    [
      'PutStreamEvent',
      'plain',
      (id) =>
        stranger.call(stranger.events, stranger.events.putStreamEvent, {
          taskRunExternalId: id,
          createdAt: now,
          message: Buffer.from('not yours'),
          metadata: '',
          eventIndex: 0n,
        }),
    ],
    [
      'Heartbeat',
      'worker',
      (id) => stranger.call(stranger.dispatcher, stranger.dispatcher.heartbeat, { workerId: id, heartbeatAt: now }),
    ],
    [
      'Unsubscribe',
      'worker',
      (id) => stranger.call(stranger.dispatcher, stranger.dispatcher.unsubscribe, { workerId: id }),
    ],
    [
      'UpsertWorkerLabels',
      'worker',
      (id) =>
        stranger.call(stranger.dispatcher, stranger.dispatcher.upsertWorkerLabels, {
          workerId: id,
          labels: { zone: { strValue: 'b', intValue: undefined } },
        }),
    ],
    [
      'SendStepActionEvent, completed',
      'plain',
      (id) =>
        stranger.call(
          stranger.dispatcher,
          stranger.dispatcher.sendStepActionEvent,
          report(id, StepActionEventType.STEP_EVENT_TYPE_COMPLETED),
        ),
    ],
    [
      'SendStepActionEvent, failed',
      'plain',
      (id) =>
        stranger.call(
          stranger.dispatcher,
          stranger.dispatcher.sendStepActionEvent,
          report(id, StepActionEventType.STEP_EVENT_TYPE_FAILED),
        ),
    ],
    [
      'RefreshTimeout',
      'plain',
      (id) =>
        stranger.call(stranger.dispatcher, stranger.dispatcher.refreshTimeout, {
          taskRunExternalId: id,
          incrementTimeoutBy: '1h',
        }),
    ],
    [
      'ReleaseSlot',
      'plain',
      (id) => stranger.call(stranger.dispatcher, stranger.dispatcher.releaseSlot, { taskRunExternalId: id }),
    ],
    [
      'RestoreEvictedTask',
      'durable',
      (id) => stranger.call(stranger.dispatcher, stranger.dispatcher.restoreEvictedTask, { taskRunExternalId: id }),
    ],
    [
      'RegisterDurableEvent',
      'durable',
      (id) =>
        stranger.call(stranger.durable, stranger.durable.registerDurableEvent, {
          taskId: id,
          signalKey: 'k',
          conditions: { sleepConditions: [], userEventConditions: [] },
        }),
    ],
    ['ListenV2', 'worker', (id) => first(stranger.dispatcher.listenV2({ workerId: id }, stranger.metadata()))],
    [
      'SubscribeToWorkflowEvents',
      'ended',
      (id) =>
        first(
          stranger.dispatcher.subscribeToWorkflowEvents(
            { workflowRunId: id, additionalMetaKey: undefined, additionalMetaValue: undefined },
            stranger.metadata(),
          ),
        ),
    ],
    [
      'DurableTask, of its worker',
      'worker',
      (id) => converse([{ $case: 'registerWorker', value: { workerId: id } }], 'registerWorker'),
    ],
    ['GetRun', 'ended', (id) => stranger.call(stranger.monitor, stranger.monitor.getRun, { runId: id })],
    ['ListRunEvents', 'ended', (id) => stranger.call(stranger.monitor, stranger.monitor.listRunEvents, { runId: id })],
    [
      'StreamRunEvents',
      'ended',
      (id) =>
        first(
          stranger.monitor.streamRunEvents({ runId: id, after: undefined, workflowNames: [] }, stranger.metadata()),
        ),
    ],
    ['ListLogs', 'ended', (id) => stranger.call(stranger.monitor, stranger.monitor.listLogs, { id, levels: [] })],
    ['StreamLogs', 'ended', (id) => first(stranger.monitor.streamLogs({ id, after: undefined }, stranger.metadata()))],
    [
      'GetDurableLog',
      'durable',
      (id) => stranger.call(stranger.monitor, stranger.monitor.getDurableLog, { taskId: id }),
    ],
    [
      'StreamDurableLog',
      'durable',
      (id) => first(stranger.monitor.streamDurableLog({ taskId: id }, stranger.metadata())),
    ],
    [
      'SkipSleep',
      'durable',
      (id) => stranger.call(stranger.monitor, stranger.monitor.skipSleep, { taskId: id, node: 2 }),
    ],
    [
      'BranchTask',
      'durable',
      (id) => stranger.call(stranger.monitor, stranger.monitor.branchTask, { taskId: id, node: 1 }),
    ],
    ['RestoreTask', 'durable', (id) => stranger.call(stranger.monitor, stranger.monitor.restoreTask, { taskId: id })],
  ])('hears of an id as of one that there is not, and changes nothing: %s', async (_, of, call) => {
    const before = await stored();
    const answers = await Promise.all([heard(call, ids[of]), heard(call, newId())]);
    expect(answers[0]).toBe(answers[1]);
    expect(await stored()).toEqual(before);
  });

  it.each<[string, keyof typeof ids, string, object?]>([
    ...['', '/status', '/task-events', '/task-timings'].map((suffix): [string, 'ended', string] => [
      'GET',
      'ended',
      `/api/v1/stable/workflow-runs/{}${suffix}`,
    ]),
    ...['', '/task-events', '/logs'].map((suffix): [string, 'ended', string] => [
      'GET',
      'ended',
      `/api/v1/stable/tasks/{}${suffix}`,
    ]),
    ['GET', 'ended', '/api/v1/tenants/own/workflow-runs/{}/shape'],
    ['GET', 'durable', '/api/v1/stable/tenants/own/durable-tasks/{}'],
    ['POST', 'durable', '/api/v1/stable/tasks/{}/restore'],
    ['POST', 'durable', '/api/v1/stable/tenants/own/durable-tasks/branch', { taskExternalId: '{}', nodeId: 1 }],
    ['POST', 'plain', '/api/v1/stable/tenants/own/tasks/cancel', { externalIds: ['{}'] }],
    ['POST', 'ended', '/api/v1/stable/tenants/own/tasks/replay', { externalIds: ['{}'] }],
    ['GET', 'workflow', '/api/v1/workflows/{}'],
    ['GET', 'workflow', '/api/v1/workflows/{}/versions'],
    ['PATCH', 'workflow', '/api/v1/workflows/{}', { isPaused: true }],
    ['POST', 'workflow', '/api/v1/stable/tenants/own/filters', { workflowId: '{}', scope: 's', expression: 'true' }],
    [
      'POST',
      'workflow',
      '/api/v1/tenants/own/workflows/{}/crons',
      { cronName: 'theirs', cronExpression: '* * * * *', input: {}, additionalMetadata: {} },
    ],
    [
      'POST',
      'workflow',
      '/api/v1/tenants/own/workflows/{}/scheduled',
      { triggerAt: '2100-01-01T00:00:00Z', input: {}, additionalMetadata: {} },
    ],
    ['GET', 'worker', '/api/v1/workers/{}'],
    ['PATCH', 'worker', '/api/v1/workers/{}', { isPaused: true }],
    ['GET', 'cron', '/api/v1/tenants/own/workflows/crons/{}'],
    ['PATCH', 'cron', '/api/v1/tenants/own/workflows/crons/{}', { enabled: false }],
    ['DELETE', 'cron', '/api/v1/tenants/own/workflows/crons/{}'],
    ['GET', 'schedule', '/api/v1/tenants/own/workflows/scheduled/{}'],
    ['PATCH', 'schedule', '/api/v1/tenants/own/workflows/scheduled/{}', { triggerAt: '2100-01-01T00:00:00Z' }],
    ['DELETE', 'schedule', '/api/v1/tenants/own/workflows/scheduled/{}'],
    ['POST', 'schedule', '/api/v1/tenants/own/workflows/scheduled/bulk-delete', { scheduledWorkflowRunIds: ['{}'] }],
    [
      'POST',
      'schedule',
      '/api/v1/tenants/own/workflows/scheduled/bulk-update',
      { updates: [{ id: '{}', triggerAt: '2100-01-01T00:00:00Z' }] },
    ],
    ['GET', 'filter', '/api/v1/stable/tenants/own/filters/{}'],
    ['PATCH', 'filter', '/api/v1/stable/tenants/own/filters/{}', { expression: 'false' }],
    ['DELETE', 'filter', '/api/v1/stable/tenants/own/filters/{}'],
    ['GET', 'event', '/api/v1/stable/tenants/own/events/{}'],
    ...[
      '/api/v1/tenants/{}',
      '/api/v1/tenants/{}/workflows',
      '/api/v1/tenants/{}/worker',
      '/api/v1/stable/tenants/{}/workflow-runs',
      '/api/v1/stable/tenants/{}/events',
    ].map((path): [string, 'tenant', string] => ['GET', 'tenant', path]),
    ['POST', 'tenant', '/api/v1/stable/tenants/{}/workflow-runs/trigger', { workflowName: 'quick', input: {} }],
    ['POST', 'tenant', '/api/v1/stable/tenants/{}/tasks/cancel', { externalIds: [] }],
  ])(
    'hears of an id as of one that there is not, and changes nothing: %s of %s, %s',
    async (method, of, path, body) => {
      const before = await stored();
      const call = async (id: string): Promise<unknown> => {
        const response = await fetch(
          `http://127.0.0.1:${fixture.engine.http.port}${path.replace('own', strangerRest.tenantId).replace('{}', id)}`,
          {
            method,
            headers: { 'content-type': 'application/json', authorization: `Bearer ${strangerRest.token}` },
            ...(body === undefined ? {} : { body: JSON.stringify(body).replace('{}', id) }),
          },
        );
        return [response.status, await response.text()];
      };
      const answers = await Promise.all([heard(call, ids[of]), heard(call, newId())]);
      expect(answers[0]).toBe(answers[1]);
      expect(answers[0]).toMatch(
        path.startsWith('/api/v1/stable/tenants/own/tasks/') || path.includes('/bulk-') ? /^\[200,/ : /^\[404,/,
      );
      expect(await stored()).toEqual(before);
    },
  );

  it("says nothing in a durable task's stream that counts, and is told nothing", async () => {
    const own = await stranger.call(stranger.dispatcher, stranger.dispatcher.register, {
      workerName: 'theirs',
      actions: ['waits:waits', 'runs:runs'],
      services: [],
      labels: {},
      slotConfig: { default: 10, durable: 10 },
    });
    const before = await stored();
    const task = { durableTaskExternalId: ids.durable, invocationCount: 1 };
    const hello: NonNullable<DurableTaskRequest['message']> = {
      $case: 'registerWorker',
      value: { workerId: own.workerId },
    };
    const place = { ...task, branchId: 1n, nodeId: 2n };
    const refused = { $case: 'serverEvict', value: expect.objectContaining(task) };
    expect(
      await converse(
        [hello, { $case: 'memo', value: { ...task, key: Buffer.from('k'), payload: Buffer.from('1') } }],
        'serverEvict',
      ),
    ).toEqual(refused);
    expect(
      await converse(
        [hello, { $case: 'completeMemo', value: { ref: place, payload: Buffer.from('1'), memoKey: Buffer.from('k') } }],
        'serverEvict',
      ),
    ).toEqual(refused);
    expect(
      await converse(
        [hello, { $case: 'workerStatus', value: { workerId: own.workerId, waitingEntries: [place] } }],
        'serverEvict',
      ),
    ).toEqual(refused);
    expect(
      await converse([hello, { $case: 'evictInvocation', value: { ...task, reason: 'because' } }], 'evictionAck'),
    ).toMatchObject({ $case: 'evictionAck' });
    expect(await stored()).toEqual(before);
  });

  it('meets no wait with its events', async () => {
    const before = await stored();
    await stranger.call(stranger.events, stranger.events.push, {
      key: 'word',
      payload: '{"word":"theirs"}',
      eventTimestamp: now,
      additionalMetadata: undefined,
      priority: undefined,
      scope: undefined,
    });
    expect(await stored()).toEqual(before);
    const own = new GrpcClients({ host: '127.0.0.1', port: fixture.engine.grpc.port }, fixture.engine.token);
    const listeners = [own, stranger].map((clients) => {
      const stream = clients.durable.listenForDurableEvent(clients.metadata());
      const told: string[] = [];
      stream.on('error', () => undefined);
      stream.on('data', ({ data }: DurableEvent) => told.push(Buffer.from(data).toString()));
      stream.write({ taskId: ids.durable, signalKey: 'k' });
      return { stream, told };
    });
    const conditions = {
      sleepConditions: [],
      userEventConditions: [
        {
          userEventKey: 'word',
          base: { readableDataKey: 'word', action: Action.CREATE, orGroupId: '', expression: '' },
        },
      ],
    };
    await own.call(own.durable, own.durable.registerDurableEvent, { taskId: ids.durable, signalKey: 'k', conditions });
    await fixture.hatchet.events.push('word', { word: 'ours' });
    await vi.waitFor(() => expect(listeners[0]?.told).toHaveLength(1), patient);
    // Another call on its connection: what was said before it has come.
    await stranger.call(stranger.monitor, stranger.monitor.listQueues, {});
    expect(listeners[1]?.told).toEqual([]);
    for (const { stream } of listeners) stream.cancel();
    own.close();
    expect(await durable.output).toEqual({ word: 'ours' });
    finish();
    expect(await plain.output).toEqual({ done: true });
  });
});
