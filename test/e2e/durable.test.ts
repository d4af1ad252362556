import { status } from '@grpc/grpc-js';
import { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/index.js';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { Action } from '../../proto/gen/hatchet/contract/v1/condition.ts';
import type { DurableTaskRequest, DurableTaskResponse } from '../../proto/gen/hatchet/contract/v1/dispatcher.ts';
import { RunStatus } from '../../proto/gen/hatchet/contract/v1/workflows.ts';
import { ContractWorker, taskRequest, workflowRequest } from '../helpers/contract-worker.ts';
import { engineProcessFixture } from '../helpers/engine-fixture.ts';
import type { GrpcClients } from '../helpers/grpc-client.ts';
import { activeWorkers } from '../helpers/listed-workers.ts';
import { patient } from '../helpers/patient.ts';

const fixture = engineProcessFixture('durable');
let clients: GrpcClients;
let hatchet: HatchetClient;

beforeAll(async () => {
  ({ clients } = fixture);
  Object.assign(process.env, fixture.env);
  fixture.spawn('published-durable/worker.mjs');
  hatchet = HatchetClient.init();
  await vi.waitFor(async () => expect(await activeWorkers(clients)).toBe(1), { timeout: 30_000 });
});

/** What a durable stream answers to these messages, up to the first that the test asks for. */
function converse(
  messages: readonly NonNullable<DurableTaskRequest['message']>[],
  until: NonNullable<DurableTaskResponse['message']>['$case'] | 'refused',
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const stream = clients.durable.durableTask(clients.metadata());
    stream.on('error', (error: { code?: number; details?: string }) =>
      until === 'refused' ? resolve(error.code) : reject(new Error(error.details)),
    );
    stream.on('data', ({ message }: DurableTaskResponse) => {
      if (message?.$case !== until) return;
      stream.cancel();
      resolve(message.value);
    });
    for (const message of messages) stream.write({ message });
  });
}

async function start(workflow: string, input: Record<string, number | string> = {}) {
  const ref = await hatchet.runNoWait(workflow, input, {});
  const output = (async (): Promise<Record<string, unknown>> => outputOf(await ref.output))();
  output.catch(() => undefined);
  return { output, runId: await ref.getWorkflowRunId() };
}

/** The SDK gives a run by name its outputs by task. */
function outputOf(outputs: unknown): Record<string, unknown> {
  return { ...Object(Object.values(Object(outputs))[0]) };
}

async function run(workflow: string, input: Record<string, number | string> = {}): Promise<Record<string, unknown>> {
  return (await start(workflow, input)).output;
}

/** Nodes of the task's log that its newest branch has asked for. */
async function log(
  taskId: string,
): Promise<{ nodeId: number; branchId: number; kind: string; isSatisfied: boolean }[]> {
  const { data } = await hatchet.api.v1DurableTaskEventLogList(hatchet.tenantId, taskId);
  return data;
}

/** Resolves once the task waits at its n-th operation. */
async function waitsAt(taskId: string, node: number): Promise<void> {
  await vi.waitFor(async () => expect((await log(taskId)).at(-1)).toMatchObject({ nodeId: node, isSatisfied: false }), {
    timeout: 20_000,
  });
}

describe('durable tasks, by the published TypeScript SDK', () => {
  it('sleep', async () => {
    expect(await run('sleeper')).toEqual({ slept: { durationMs: 1000 }, invocation: 1 });
  });

  it('wait for an event that the expression lets through', async () => {
    const { output, runId } = await start('waiter', { id: 7 });
    await waitsAt(runId, 1);
    await hatchet.events.push('go', { id: 6 });
    await hatchet.events.push('go', { id: 7, note: 'hello' });
    expect(await output).toEqual({ event: { id: 7, note: 'hello' }, invocation: 1 });
  });

  it('take the first of two alternatives', async () => {
    expect(await run('either', { id: 1, sleep: '1s' })).toEqual({ CREATE: { sleep: [{ sleep_duration: '1s' }] } });
    const { output, runId } = await start('either', { id: 2, sleep: '1h' });
    await waitsAt(runId, 1);
    await hatchet.events.push('either', { id: 2 });
    expect(await output).toEqual({ CREATE: { event: [{ id: 2 }] } });
  });

  it('look back for an event of their scope', async () => {
    await hatchet.events.push('early', { who: 'other' }, { scope: 'b' });
    await hatchet.events.push('early', { who: 'mine' }, { scope: 'a' });
    expect(await run('back', { scope: 'a' })).toEqual({ event: { who: 'mine' } });
  });

  it('spawn children and get their results', async () => {
    expect(await run('parent')).toEqual({
      one: { doubled: 2 },
      many: [{ doubled: 4 }, { doubled: 6 }],
      dag: { first: { n: 4 }, second: { sum: 5 } },
      error: 'the child broke',
    });
  });

  it('are RUNNING to those who ask for a run while they are away from their worker', async () => {
    const { runId } = await start('patient');
    const details = () => clients.call(clients.admin, clients.admin.getRunDetails, { externalId: runId });
    await expect.poll(async () => (await details()).isEvicted, patient).toBe(true);
    expect(await details()).toMatchObject({
      status: RunStatus.RUNNING,
      done: false,
      taskRuns: { patient: { status: RunStatus.RUNNING, isEvicted: true } },
    });
    await hatchet.runs.cancel({ ids: [runId] });
  });

  it('remember memos over an eviction', async () => {
    const { output, runId } = await start('memoist', { id: 1 });
    expect(await output).toMatchObject({ value: { run: 1 }, invocation: 2 });
    const { data } = await hatchet.api.v1TaskEventList(runId);
    expect(data.rows?.map((event): string => event.eventType).filter((type) => type.startsWith('DURABLE'))).toEqual([
      'DURABLE_EVICTED',
      'DURABLE_RESTORING',
    ]);
  });

  it('keep the order in which their waits ended over evictions', async () => {
    const output = await run('ordered', { branches: 5 });
    expect(output['outputs']).toEqual([0, 2, 4, 6, 8]);
    expect(output['order']).toEqual([4, 3, 2, 1, 0]);
    expect(output['invocation']).toBeGreaterThan(1);
  });

  it('fail for good, without a retry, where the code asks for something else than the log says', async () => {
    const { output, runId } = await start('stubborn');
    await expect(output).rejects.toThrow();
    const { data } = await hatchet.api.v1TaskGet(runId);
    expect(data).toMatchObject({ status: 'FAILED', retryCount: 1 });
    expect(data.errorMessage).toContain('node 1');
    expect(data.errorMessage).toContain('sleep 1s');
    expect(data.errorMessage).toContain('sleep 2s');
  });

  it('see the mismatch as an error of their own, after a replay', async () => {
    const { output, runId } = await start('fickle');
    expect(await output).toEqual({ fine: true });
    await hatchet.runs.replay({ ids: [runId] });
    expect(outputOf(await hatchet.runs.runRef(runId).output)).toMatchObject({ node: 1 });
  });

  it('branch: what lies before the node is kept, what follows runs anew', async () => {
    const { output, runId } = await start('timed');
    await output;
    const made = await hatchet.runs.branchDurableTask(runId, 2);
    expect(made.data).toEqual({ taskExternalId: runId, nodeId: 2, branchId: 2 });
    const again = outputOf(await hatchet.runs.runRef(runId).output)['took'];
    const [one = 0, two = 0, three = 0]: number[] = Array.isArray(again) ? again : [];
    // The sleeps of a second, told from a log that is read.
    expect([one < two, one < three]).toEqual([true, true]);
    expect((await log(runId)).map(({ branchId, nodeId }) => [branchId, nodeId])).toEqual([
      [1, 1],
      [1, 2],
      [1, 3],
      [2, 2],
      [2, 3],
    ]);
  });
});

describe('the durable contract, call by call', () => {
  const conditions = (sleepFor: string) => ({
    sleepConditions: [
      { sleepFor, base: { readableDataKey: 'nap', action: Action.CREATE, orGroupId: '', expression: '' } },
    ],
    userEventConditions: [],
  });

  it('serves the two calls of older SDKs: one wait a key, told at once when it is over already', async () => {
    const old = new ContractWorker(clients, () => 'hold');
    const request = workflowRequest('old-durable', [taskRequest('one', { action: 'old:one', isDurable: true })]);
    await clients.call(clients.admin, clients.admin.putWorkflow, request);
    await old.start(['old:one'], 1, { durable: 1 });
    const { externalId: taskId } = await clients.call(clients.admin, clients.admin.triggerWorkflowRun, {
      workflowName: 'old-durable',
      input: Buffer.from('{}'),
      additionalMetadata: Buffer.from('{}'),
      desiredWorkerLabels: {},
    });
    await vi.waitFor(() => expect(old.received).toHaveLength(1), patient);
    expect(old.received[0]?.durableTaskInvocationCount).toBe(1);
    const listen = (): Promise<unknown> =>
      new Promise((resolve) => {
        const stream = clients.durable.listenForDurableEvent(clients.metadata());
        stream.on('error', () => undefined);
        stream.on('data', (event: { data: Uint8Array }) => {
          stream.cancel();
          resolve(JSON.parse(Buffer.from(event.data).toString()));
        });
        stream.write({ taskId, signalKey: 'waitFor-0' });
      });
    for (let n = 0; n < 2; n++)
      await clients.call(clients.durable, clients.durable.registerDurableEvent, {
        taskId,
        signalKey: 'waitFor-0',
        conditions: conditions('1s'),
      });
    expect(await listen()).toEqual({ CREATE: { nap: [{ sleep_duration: '1s' }] } });
    expect(await listen()).toEqual({ CREATE: { nap: [{ sleep_duration: '1s' }] } });
    await expect(
      clients.call(clients.durable, clients.durable.registerDurableEvent, {
        taskId,
        signalKey: 'bad',
        conditions: conditions('soon'),
      }),
    ).rejects.toThrow('not a duration');
    old.hangUp();
    await hatchet.runs.cancel({ ids: [taskId] });
  });

  it('tells a worker that nobody waits for a child about what it does wait for, and of the child once it does', async () => {
    const desk = new ContractWorker(clients, (action) =>
      action.taskName === 'kid' ? { output: { of: 'kid' } } : 'hold',
    );
    for (const [name, durable] of [
      ['lone', true],
      ['kid', false],
    ] as const)
      await clients.call(
        clients.admin,
        clients.admin.putWorkflow,
        workflowRequest(name, [taskRequest(name, { action: `left:${name}`, isDurable: durable })]),
      );
    await desk.start(['left:lone', 'left:kid'], 2, { durable: 1 });
    const { externalId: taskId } = await clients.call(clients.admin, clients.admin.triggerWorkflowRun, {
      workflowName: 'lone',
      input: Buffer.from('{}'),
      additionalMetadata: Buffer.from('{}'),
      desiredWorkerLabels: {},
    });
    await vi.waitFor(() => expect(desk.received).toHaveLength(1), patient);
    const told: NonNullable<DurableTaskResponse['message']>[] = [];
    const stream = clients.durable.durableTask(clients.metadata());
    stream.on('error', () => undefined);
    stream.on('data', ({ message }: DurableTaskResponse) => message !== undefined && told.push(message));
    const say = (message: NonNullable<DurableTaskRequest['message']>): unknown => stream.write({ message });
    const sender = { durableTaskExternalId: taskId, invocationCount: 1 };
    const awaits = (nodeId: bigint): unknown =>
      say({
        $case: 'workerStatus',
        value: { workerId: desk.workerId, waitingEntries: [{ ...sender, nodeId, branchId: 1n }] },
      });
    const completed = (): unknown[] =>
      told.flatMap((message) => (message.$case === 'entryCompleted' ? [message.value.ref?.nodeId] : []));
    say({ $case: 'registerWorker', value: { workerId: desk.workerId } });
    say({
      $case: 'triggerRuns',
      value: { ...sender, triggerOpts: [{ name: 'kid', input: '{}', desiredWorkerLabels: {} }] },
    });
    await vi.waitFor(() => expect(told.map((message) => message.$case)).toContain('triggerRunsAck'), patient);
    const [ack] = told.flatMap((message) => (message.$case === 'triggerRunsAck' ? message.value.runEntries : []));
    await vi.waitFor(
      async () => expect(await hatchet.runs.get_status(ack?.workflowRunExternalId ?? '')).toBe('COMPLETED'),
      patient,
    );
    say({ $case: 'waitFor', value: { ...sender, waitForConditions: conditions('1s'), label: '' } });
    awaits(2n);
    await vi.waitFor(() => expect(completed()).toEqual([2n]), patient);
    awaits(1n);
    await vi.waitFor(() => expect(completed()).toEqual([2n, 1n]), patient);
    stream.cancel();
    desk.hangUp();
    await hatchet.runs.cancel({ ids: [taskId] });
  });

  it('refuses an unknown worker, answers a message for nothing that runs, and a wait for nothing', async () => {
    expect(
      await converse(
        [{ $case: 'registerWorker', value: { workerId: '00000000-0000-7000-8000-000000000001' } }],
        'refused',
      ),
    ).toBe(status.NOT_FOUND);
    const { rows } = await clients.call(clients.monitor, clients.monitor.listWorkers, { all: false });
    const workerId = rows.find((row) => row.name === 'durable')?.workerId ?? '';
    const unknown = { durableTaskExternalId: '00000000-0000-7000-8000-000000000002', invocationCount: 1 };
    const register = { $case: 'registerWorker' as const, value: { workerId } };
    expect(
      await converse(
        [register, { $case: 'waitFor', value: { ...unknown, waitForConditions: conditions('1s'), label: '' } }],
        'serverEvict',
      ),
    ).toMatchObject(unknown);
    expect(
      await converse(
        [
          register,
          {
            $case: 'waitFor',
            value: { ...unknown, waitForConditions: { sleepConditions: [], userEventConditions: [] }, label: '' },
          },
        ],
        'error',
      ),
    ).toMatchObject({ errorMessage: 'the wait has 0 conditions. Give it 1 to 100' });
    expect(
      await converse([register, { $case: 'evictInvocation', value: { ...unknown, reason: '' } }], 'evictionAck'),
    ).toMatchObject(unknown);
  });
});
