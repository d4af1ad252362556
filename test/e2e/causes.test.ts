import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StepActionEventType } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import { Action, type BaseMatchCondition } from '../../proto/gen/hatchet/contract/v1/condition.ts';
import {
  ConcurrencyLimitStrategy,
  RateLimitDuration,
  StickyStrategy,
  type CreateTaskOpts,
  type CreateWorkflowVersionRequest,
} from '../../proto/gen/hatchet/contract/v1/workflows.ts';
import { RunStatus, WorkerStatus, type TaskCause } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { ContractWorker, taskRequest, workflowRequest } from '../helpers/contract-worker.ts';
import type { GrpcClients } from '../helpers/grpc-client.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';

const fixture = engineFixture('causes');
let clients: GrpcClients;
const workers: ContractWorker[] = [];

beforeAll(() => void ({ clients } = fixture));

afterAll(async () => {
  for (const worker of workers) worker.hangUp();
});

async function put(
  name: string,
  tasks: CreateTaskOpts[],
  options: Partial<CreateWorkflowVersionRequest> = {},
): Promise<string> {
  return (await clients.call(clients.admin, clients.admin.putWorkflow, workflowRequest(name, tasks, options)))
    .workflowId;
}

/** A worker of two slots, whose tasks go on until they are told to fail, complete, or are ended. */
async function serve(...names: string[]): Promise<ContractWorker> {
  const worker = new ContractWorker(clients, (action) =>
    action.actionPayload.includes('"fail":true')
      ? { error: 'told to fail' }
      : action.actionPayload.includes('"complete":true')
        ? { output: {} }
        : 'hold',
  );
  workers.push(worker);
  await worker.start(
    names.map((name) => `wf:${name}`),
    2,
  );
  await expect
    .poll(
      async () =>
        (await clients.call(clients.monitor, clients.monitor.listWorkers, { all: false })).rows.find(
          (row) => row.workerId === worker.workerId,
        )?.status,
    )
    .toBe(WorkerStatus.WORKER_STATUS_ACTIVE);
  return worker;
}

async function trigger(workflowName: string, input: object = {}): Promise<string> {
  const request = {
    workflowName,
    input: Buffer.from(JSON.stringify(input)),
    additionalMetadata: Buffer.from('{}'),
    desiredWorkerLabels: {},
  };
  return (await clients.call(clients.admin, clients.admin.triggerWorkflowRun, request)).externalId;
}

async function cause(runId: string, task?: string): Promise<TaskCause | undefined> {
  const { tasks } = await clients.call(clients.monitor, clients.monitor.getRun, { runId });
  return (task === undefined ? tasks[0] : tasks.find(({ name }) => name === task))?.cause;
}

async function code(runId: string, task?: string): Promise<string | undefined> {
  return (await cause(runId, task))?.code;
}

async function failure(runId: string): Promise<string | undefined> {
  await expect
    .poll(async () => (await clients.call(clients.monitor, clients.monitor.getRun, { runId })).run?.status)
    .toBe(RunStatus.RUN_STATUS_FAILED);
  return (await clients.call(clients.monitor, clients.monitor.getRun, { runId })).run?.errorMessage;
}

async function complete(runId: string, worker: ContractWorker): Promise<void> {
  const action = worker.received.findLast((each) => each.taskRunExternalId === runId);
  if (action === undefined) throw new Error(`the worker has no ${runId}`);
  await worker.report(action, StepActionEventType.STEP_EVENT_TYPE_COMPLETED, '{}');
}

describe('why a task is not running, asked of an engine', () => {
  it('workers: none, none connected, busy, too small, without the label, or not the one that it must keep to', async () => {
    await put('nobody', [taskRequest('nobody')]);
    expect(await cause(await trigger('nobody'))).toMatchObject({
      code: 'NO_WORKER',
      text: 'no worker is registered for wf:nobody',
    });

    await put('plain', [taskRequest('plain')]);
    await put('wide', [taskRequest('wide', { slotRequests: { default: 50 } })]);
    await put('labelled', [taskRequest('labelled', { workerLabels: { gpu: { strValue: 'a100', required: true } } })]);
    const worker = await serve('plain', 'wide', 'labelled');
    const running = [await trigger('plain'), await trigger('plain')];
    expect(await cause(running[0] ?? '')).toMatchObject({ code: 'RUNNING', ids: [worker.workerId] });
    const waiting = await trigger('plain');
    expect(await cause(waiting)).toMatchObject({ code: 'SLOTS', ids: [worker.workerId] });
    expect(await code(await trigger('wide'))).toBe('SLOTS_NEVER');
    const labelled = await trigger('labelled');
    expect(await cause(labelled)).toMatchObject({ code: 'LABELS', text: expect.stringContaining('gpu EQUAL "a100"') });
    await complete(running[0] ?? '', worker);
    expect(await code(waiting)).toBe('RUNNING');
    await complete(waiting, worker);
    await clients.call(clients.dispatcher, clients.dispatcher.upsertWorkerLabels, {
      workerId: worker.workerId,
      labels: { gpu: { strValue: 'a100' } },
    });
    expect(await code(labelled)).toBe('RUNNING');

    await put('kept', [taskRequest('kept-one'), taskRequest('kept-two', { parents: ['kept-one'] })], {
      sticky: StickyStrategy.HARD,
    });
    const home = await serve('kept-one', 'kept-two');
    const run = await trigger('kept');
    await expect.poll(() => home.received.length).toBe(1);
    await serve('kept-two');
    home.hangUp();
    const [action] = home.received;
    if (action === undefined) throw new Error('the worker has no task');
    await home.report(action, StepActionEventType.STEP_EVENT_TYPE_COMPLETED, '{}');
    await expect.poll(() => cause(run, 'kept-two')).toMatchObject({ code: 'STICKY', ids: [home.workerId] });
    home.listen();
    await expect.poll(() => code(run, 'kept-two')).toBe('RUNNING');

    await put('gone', [taskRequest('gone')]);
    (await serve('gone')).hangUp();
    await expect.poll(async () => code(await trigger('gone'))).toBe('NO_WORKER_CONNECTED');
  });

  it('the run itself: parents, conditions, a failure that has not come, a pause before a retry', async () => {
    const when = {
      base: {
        readableDataKey: 'go',
        action: Action.QUEUE,
        orGroupId: '00000000-0000-4000-8000-000000000001',
        expression: 'input.ok',
      },
      userEventKey: 'go',
    };
    await put(
      'dag',
      [
        taskRequest('first'),
        taskRequest('second', { parents: ['first'] }),
        taskRequest('third', {
          conditions: { parentOverrideConditions: [], sleepConditions: [], userEventConditions: [when] },
        }),
      ],
      { onFailureTask: taskRequest('rescue') },
    );
    await put('flaky', [taskRequest('flaky', { retries: 1, backoffFactor: 60 })]);
    await serve('first', 'second', 'third', 'rescue');
    await serve('flaky');
    const run = await trigger('dag');
    const { tasks } = await clients.call(clients.monitor, clients.monitor.getRun, {
      runId: run,
    });
    expect(await cause(run, 'second')).toMatchObject({
      code: 'PARENTS',
      text: 'waits for first',
      ids: [tasks[0]?.taskId],
    });
    expect(await cause(run, 'third')).toMatchObject({
      code: 'CONDITION',
      text: 'waits for the event "go" with input.ok to start',
    });
    expect(await code(run, 'rescue')).toBe('ON_FAILURE');
    await clients.call(clients.events, clients.events.push, {
      key: 'go',
      payload: '{"ok":true}',
      eventTimestamp: new Date(),
      additionalMetadata: '',
    });
    expect(await code(run, 'third')).toBe('RUNNING');
    const flaky = await trigger('flaky', { fail: true });
    await expect.poll(() => code(flaky)).toBe('BACKOFF');
    expect((await cause(flaky))?.until?.getTime()).toBeGreaterThan(Date.now() + 30_000);
  });

  it('the queue: a key, a rate limit, a batch, a pause, a worker that is away', async () => {
    await put('keyed', [
      taskRequest('keyed', {
        concurrency: [
          { expression: 'input.user', maxRuns: 1, limitStrategy: ConcurrencyLimitStrategy.GROUP_ROUND_ROBIN },
        ],
      }),
    ]);
    await put('limited', [
      taskRequest('limited', { rateLimits: [{ key: 'mail', units: 1, duration: RateLimitDuration.HOUR }] }),
    ]);
    await put('batched', [
      taskRequest('batched', { batch: { batchMaxSize: 2, batchMaxIntervalMs: 3_600_000, batchGroupMaxRuns: 1 } }),
    ]);
    await put('brief', [taskRequest('brief', { timeout: '200ms', retries: 1 })]);
    const paused = await put('paused', [taskRequest('paused')]);
    const worker = await serve('keyed', 'batched');
    await serve('limited', 'paused');
    const holder = await trigger('keyed', { user: 'ada' });
    const second = await trigger('keyed', { user: 'ada' });
    expect(await cause(second)).toMatchObject({
      code: 'CONCURRENCY',
      text: expect.stringContaining('key "ada"'),
      ids: [holder],
    });
    await complete(holder, worker);
    expect(await code(second)).toBe('RUNNING');

    await clients.call(clients.workflows, clients.workflows.putRateLimit, {
      key: 'mail',
      limit: 1,
      duration: RateLimitDuration.HOUR,
    });
    const [first, third] = [await trigger('limited'), await trigger('limited')];
    expect(await code(first)).toBe('RUNNING');
    expect(await cause(third)).toMatchObject({ code: 'RATE_LIMIT', text: expect.stringContaining('0 of 1 are left') });
    expect((await cause(third))?.until?.getTime()).toBeGreaterThan(Date.now() + 3_000_000);

    const batch = [await trigger('batched')];
    expect(await cause(batch[0] ?? '')).toMatchObject({ code: 'BATCH', text: expect.stringContaining('1 of 2 tasks') });
    expect((await cause(batch[0] ?? ''))?.until?.getTime()).toBeGreaterThan(Date.now() + 3_000_000);
    batch.push(await trigger('batched'));
    expect(await code(batch[0] ?? '')).toBe('RUNNING');
    const next = [await trigger('batched'), await trigger('batched')];
    expect(await cause(next[0] ?? '')).toMatchObject({ code: 'BATCH_LIMIT', ids: batch });
    const batchId = worker.received.findLast((action) => action.batchId !== undefined)?.batchId;
    await clients.call(clients.dispatcher, clients.dispatcher.sendBatchActionEvent, {
      workerId: '',
      jobId: '',
      actionId: '',
      batchId,
      eventTimestamp: new Date(),
      eventType: StepActionEventType.STEP_EVENT_TYPE_COMPLETED,
      items: batch.map((taskRunExternalId) => ({ taskRunExternalId, eventPayload: '{}' })),
    });
    expect(await code(next[0] ?? '')).toBe('RUNNING');

    const pause = (isPaused: boolean): Promise<Response> => {
      const headers = { authorization: `Bearer ${fixture.engine.token}`, 'content-type': 'application/json' };
      return fetch(`http://${fixture.engine.http.host}:${fixture.engine.http.port}/api/v1/workflows/${paused}`, {
        method: 'PATCH',
        headers,
        body: JSON.stringify({ isPaused }),
      });
    };
    expect((await pause(true)).status).toBe(200);
    const held = await trigger('paused');
    expect(await code(held)).toBe('WORKFLOW_PAUSED');
    await pause(false);
    expect(await code(held)).toBe('RUNNING');

    const silent = await serve('brief');
    const brief = await trigger('brief');
    await expect.poll(() => silent.received.length).toBe(1);
    silent.hangUp();
    await expect
      .poll(() => cause(brief))
      .toMatchObject({ code: 'RUNNING', text: expect.stringContaining('is not connected'), ids: [silent.workerId] });
    silent.listen();
    // Its time runs on, and out.
    await expect
      .poll(() => silent.received.map(({ actionType, retryCount }) => `${actionType} ${retryCount}`))
      .toEqual(['0 0', '1 0', '0 1']);
  });
});

describe('hostile expressions', () => {
  it('are refused at registration when they are too long, too deep, or none', async () => {
    const refusal = async (expression: string): Promise<string> =>
      put('refused', [taskRequest('refused', { concurrency: [{ expression }] })]).then(
        () => 'taken',
        (error: Error) => error.message,
      );
    expect(await refusal(`"${'x'.repeat(1024)}"`)).toContain('1026 bytes, and 1024 are allowed');
    expect(await refusal(`${'('.repeat(33)}"a"${')'.repeat(33)}`)).toContain('nested deeper than 32 levels');
    expect(await refusal('input.')).toContain('is not valid');
    expect(
      await put('refused', [taskRequest('refused', { batch: { batchMaxSize: 2, batchGroupKey: 'input.' } })]).then(
        () => 'taken',
        (error: Error) => error.message,
      ),
    ).toContain('the batch group key');
    for (const [batch, why] of [
      [{ batchMaxSize: 0 }, 'the batch size of task refused of workflow refused is 0'],
      [{ batchMaxSize: 2, batchMaxIntervalMs: 0 }, 'the batch interval'],
      [{ batchMaxSize: 2, batchGroupMaxRuns: -1 }, 'the batches that may run at once'],
    ] as const) {
      expect(
        await put('refused', [taskRequest('refused', { batch })]).then(
          () => 'taken',
          (error: Error) => error.message,
        ),
      ).toContain(why);
    }
    expect(
      await put('refused', [taskRequest('refused', { isDurable: true, batch: { batchMaxSize: 2 } })]).then(
        () => 'taken',
        (error: Error) => error.message,
      ),
    ).toContain('which is durable');
  });

  it('fail their runs, hold up nobody, and lift no limit', async () => {
    const loop = 'input.l.all(a, input.l.all(b, input.l.all(c, a + b + c >= 0.0))) ? "a" : "b"';
    await put('looping', [taskRequest('looping', { concurrency: [{ expression: loop, maxRuns: 1 }] })]);
    await put('looping-batch', [taskRequest('looping-batch', { batch: { batchMaxSize: 2, batchGroupKey: loop } })]);
    await put('unlimited', [
      taskRequest('unlimited', {
        rateLimits: [
          {
            key: 'input.user',
            keyExpr: 'input.user',
            unitsExpr: 'input.units',
            limitValuesExpr: '1',
            duration: RateLimitDuration.HOUR,
          },
        ],
      }),
    ]);
    await put('quick', [taskRequest('quick')]);
    const worker = await serve('looping', 'looping-batch', 'unlimited', 'quick');
    const list = { l: Array.from({ length: 2_000 }, (_, index) => index) };
    const hostile = [trigger('looping', list), trigger('looping-batch', list)];
    const quick = await trigger('quick', { complete: true });
    await expect
      .poll(async () => (await clients.call(clients.monitor, clients.monitor.getRun, { runId: quick })).run?.status)
      .toBe(RunStatus.RUN_STATUS_COMPLETED);
    const [keyed = '', batched = ''] = await Promise.all(hostile);
    expect(await failure(keyed)).toContain('it took longer than 50 ms');
    expect(await failure(batched)).toMatch(/^failed to parse batch group key expression.* it took longer than 50 ms$/);
    for (const [input, why] of [
      [{ user: 'ada' }, 'the rate limit units expression "input.units" failed'],
      [{ units: 1 }, 'the rate limit key expression "input.user" failed'],
      [{ user: 'ada', units: -1 }, 'must give a whole number'],
    ] as const) {
      expect(await failure(await trigger('unlimited', input))).toContain(why);
    }
    expect(worker.received.map((action) => action.taskRunExternalId)).toEqual([quick]);
    expect(await code(await trigger('unlimited', { user: 'ada', units: 1 }))).toBe('RUNNING');
    expect(await code(await trigger('unlimited', { user: 'ada', units: 1 }))).toBe('RATE_LIMIT');
  });

  it('in conditions are not met, and say why: on a report as on one of a batch, or an event', async () => {
    const loop = (list: string): string => `${list}.all(a, ${list}.all(b, ${list}.all(c, a + b + c >= 0.0)))`;
    const base = (expression: string): BaseMatchCondition => ({
      readableDataKey: 'x',
      action: Action.SKIP,
      orGroupId: '00000000-0000-4000-8000-000000000002',
      expression,
    });
    const onParent = (parentReadableId: string): Partial<CreateTaskOpts> => ({
      parents: [parentReadableId],
      conditions: {
        parentOverrideConditions: [{ base: base(loop('output.l')), parentReadableId }],
        sleepConditions: [],
        userEventConditions: [],
      },
    });
    const onEvent: Partial<CreateTaskOpts> = {
      conditions: {
        parentOverrideConditions: [],
        sleepConditions: [],
        userEventConditions: [{ base: { ...base(loop('input.l')), action: Action.QUEUE }, userEventKey: 'loop' }],
      },
    };
    await put('judging', [
      taskRequest('single'),
      taskRequest('gathered', { batch: { batchMaxSize: 1 } }),
      taskRequest('after-single', onParent('single')),
      taskRequest('after-gathered', onParent('gathered')),
      taskRequest('on-event', onEvent),
    ]);
    const worker = await serve('single', 'gathered');
    const run = await trigger('judging');
    await expect.poll(() => worker.received.length).toBe(2);
    const output = JSON.stringify({ l: Array.from({ length: 2_000 }, (_, index) => index) });
    const { dispatcher, events } = clients;
    for (const action of worker.received) {
      const { batchId, taskRunExternalId } = action;
      if (batchId === undefined) await worker.report(action, StepActionEventType.STEP_EVENT_TYPE_COMPLETED, output);
      else
        await clients.call(dispatcher, dispatcher.sendBatchActionEvent, {
          workerId: '',
          jobId: '',
          actionId: '',
          batchId,
          eventTimestamp: new Date(),
          eventType: StepActionEventType.STEP_EVENT_TYPE_COMPLETED,
          items: [{ taskRunExternalId, eventPayload: output }],
        });
    }
    await clients.call(events, events.push, {
      key: 'loop',
      payload: output,
      eventTimestamp: new Date(),
      additionalMetadata: '',
    });
    const { events: timeline } = await clients.call(clients.monitor, clients.monitor.listRunEvents, { runId: run });
    const complaints = timeline
      .filter((event) => event.message.includes('it took longer than 50 ms'))
      .map((event) => event.taskName);
    expect(complaints.sort()).toEqual(['after-gathered', 'after-single', 'on-event']);
    expect([await code(run, 'after-single'), await code(run, 'after-gathered'), await code(run, 'on-event')]).toEqual([
      'NO_WORKER',
      'NO_WORKER',
      'CONDITION',
    ]);
  });
});
