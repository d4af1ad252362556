import { status as Code, type ServiceError } from '@grpc/grpc-js';
import { beforeAll, describe, expect, it } from 'vitest';
import { Action } from '../../proto/gen/hatchet/contract/v1/condition.ts';
import { RunStatus } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { newId } from '../../engine/model/ids/uuid.ts';
import { taskRequest, workflowRequest } from '../helpers/contract-worker.ts';
import type { GrpcClients } from '../helpers/grpc-client.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';

const fixture = engineFixture('edge-limits');
let clients: GrpcClients;

beforeAll(async () => {
  ({ clients } = fixture);
  await putWorkflow({});
});

const long = 'x'.repeat(1001);

function putWorkflow(
  task: Parameters<typeof taskRequest>[1],
  workflow: Parameters<typeof workflowRequest>[2] = {},
): Promise<unknown> {
  return clients.call(
    clients.admin,
    clients.admin.putWorkflow,
    workflowRequest('one', [taskRequest('only', task)], workflow),
  );
}

function register(
  more: Partial<{
    workerName: string;
    actions: string[];
    labels: Record<string, { strValue: string }>;
    slotConfig: Record<string, number>;
  }>,
): Promise<{ workerId: string }> {
  return clients.call(clients.dispatcher, clients.dispatcher.register, {
    workerName: 'w',
    actions: [],
    services: [],
    labels: {},
    slotConfig: {},
    ...more,
  });
}

function numbered<T>(count: number, value: T): Record<string, T> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${index}`, value]));
}

async function trigger(
  more: Partial<{ childKey: string; desiredWorkerLabels: Record<string, { strValue: string }> }>,
): Promise<string> {
  const reply = await clients.call(clients.workflows, clients.workflows.triggerWorkflow, {
    name: 'one',
    input: '{}',
    desiredWorkerLabels: {},
    ...more,
  });
  return reply.workflowRunId;
}

function putLog(runId: string, metadata: string): Promise<unknown> {
  return clients.call(clients.events, clients.events.putLog, {
    taskRunExternalId: runId,
    createdAt: new Date(),
    message: 'line',
    level: 'INFO',
    metadata,
    taskRetryCount: 0,
  });
}

describe('what a caller chooses the length of', () => {
  const event = { readableDataKey: long, action: Action.CREATE, orGroupId: '', expression: '' };
  it.each<[string, () => Promise<unknown>]>([
    ["an action's name of a worker", () => register({ actions: [long] })],
    ["a slot type's name of a worker", () => register({ slotConfig: { [long]: 1 } })],
    ['slot types of a worker', () => register({ slotConfig: numbered(101, 1) })],
    ['labels of a worker', () => register({ labels: numbered(101, { strValue: 'x' }) })],
    ["a label's name of a worker", () => register({ labels: { [long]: { strValue: 'x' } } })],
    ["a label's value of a worker", () => register({ labels: { label: { strValue: long } } })],
    ["an action's name of a task", () => putWorkflow({ action: long })],
    ["a slot type's name of a task", () => putWorkflow({ slotRequests: { [long]: 1 } })],
    ['slot types of a task', () => putWorkflow({ slotRequests: numbered(101, 1) })],
    ["a desired label's name", () => putWorkflow({ workerLabels: { [long]: { strValue: 'x' } } })],
    ["a desired label's value of a run", () => trigger({ desiredWorkerLabels: { label: { strValue: long } } })],
    ["a rate limit's key", () => putWorkflow({ rateLimits: [{ key: long, units: 1 }] })],
    [
      "a condition's data key",
      () =>
        putWorkflow({
          conditions: {
            parentOverrideConditions: [],
            sleepConditions: [],
            userEventConditions: [{ base: event, userEventKey: 'key' }],
          },
        }),
    ],
    ["a workflow's description", () => putWorkflow({}, { description: 'x'.repeat(65_537) })],
    ["a child's key", () => trigger({ childKey: long })],
    ["a log line's metadata", async () => putLog(await trigger({}), JSON.stringify({ text: 'x'.repeat(65_536) }))],
  ])('%s is refused past its limit', async (_, call) => {
    const { code, details } = await call().then(
      () => ({ code: Code.OK, details: 'taken' }),
      (error: ServiceError) => error,
    );
    expect({ code, details }).toEqual({
      code: Code.INVALID_ARGUMENT,
      details: expect.stringMatching(/\. (Use|Keep|Give|Offer|Ask|Send) .*\d/),
    });
  });

  it('labels that are put to a worker one after the other have a limit together', async () => {
    const { workerId } = await register({});
    const put = (from: number): Promise<unknown> =>
      clients.call(clients.dispatcher, clients.dispatcher.upsertWorkerLabels, {
        workerId,
        labels: Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`n${from + index}`, { intValue: 1 }])),
      });
    for (let n = 0; n < 10; n++) await put(n * 100);
    await put(0);
    await expect(put(1000)).rejects.toMatchObject({ code: Code.INVALID_ARGUMENT });
  });

  it('an address that is too long is refused with its length, and one of a thousand ids is read', async () => {
    const { host, port } = fixture.engine.http;
    const list = async (ids: number): Promise<{ status: number; text: string }> => {
      const query = Array.from({ length: ids }, () => `workflowIds=${newId()}`).join('&');
      const path = `/api/v1/stable/tenants/${fixture.hatchet.tenantId}/filters?${query}`;
      const headers = { authorization: `Bearer ${fixture.token}` };
      const answer = await fetch(`http://${host}:${port}${path}`, { headers });
      return { status: answer.status, text: await answer.text() };
    };
    expect(await list(1_000)).toMatchObject({ status: 200 });
    expect(await list(1_500)).toMatchObject({ status: 400, text: expect.stringContaining('Use up to 65536.') });
  });

  it('what is honest is taken', async () => {
    await register({
      workerName: 'x'.repeat(1000),
      actions: ['x'.repeat(1000)],
      labels: numbered(100, { strValue: 'x'.repeat(1000) }),
      slotConfig: numbered(100, 1),
    });
    const runId = await trigger({ childKey: 'x'.repeat(1000) });
    await putLog(runId, JSON.stringify({ text: 'x'.repeat(60_000) }));
    const { run } = await clients.call(clients.monitor, clients.monitor.getRun, { runId });
    expect(run?.status).toBe(RunStatus.RUN_STATUS_QUEUED);
  });
});
