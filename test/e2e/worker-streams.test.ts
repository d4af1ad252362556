import { status as Code } from '@grpc/grpc-js';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  StepActionEventType,
  type AssignedAction,
  type WorkflowRunEvent,
} from '../../proto/gen/hatchet/contract/dispatcher.ts';
import { RunStatus } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { codeOf, contractFixture } from '../helpers/contract-fixture.ts';
import { ContractWorker, taskRequest, workflowRequest } from '../helpers/contract-worker.ts';
import type { GrpcClients } from '../helpers/grpc-client.ts';

const contract = contractFixture('worker-streams');
const { trigger, untilStatus } = contract;
let clients: GrpcClients;
let worker: ContractWorker;

beforeAll(() => void ({ clients, worker } = contract));

describe('a worker', () => {
  it('is told of a cancellation, and its slot is free', async () => {
    const runId = await trigger('one', { do: 'hold' });
    await untilStatus(runId, RunStatus.RUN_STATUS_RUNNING);
    await clients.call(clients.admin, clients.admin.cancelTasks, { externalIds: [runId] });
    await expect
      .poll(() => worker.received.some((action) => action.taskRunExternalId === runId && action.actionType === 1))
      .toBe(true);
    const { rows } = await clients.call(clients.monitor, clients.monitor.listWorkers, { all: false });
    expect(rows.find((row) => row.workerId === worker.workerId)?.slots).toEqual([
      { type: 'default', total: 100, used: 0 },
    ]);
  });

  it('is listed with when it was heard of', async () => {
    const { rows } = await clients.call(clients.monitor, clients.monitor.listWorkers, { all: false });
    const heardAt = rows.find((row) => row.workerId === worker.workerId)?.lastHeartbeatAt?.getTime() ?? 0;
    expect(Math.abs(Date.now() - heardAt)).toBeLessThan(60_000);
  });

  it('is told of which task a run is a child, and under which index and key', async () => {
    const parentId = await trigger('one', { do: 'hold' });
    const { workflows } = clients;
    const child = {
      name: 'one',
      input: '{}',
      parentTaskRunExternalId: parentId,
      childIndex: 3,
      childKey: 'mine',
      desiredWorkerLabels: {},
    };
    const { workflowRunId } = await clients.call(workflows, workflows.triggerWorkflow, child);
    await untilStatus(workflowRunId, RunStatus.RUN_STATUS_COMPLETED);
    const started = (runId: string): AssignedAction | undefined =>
      worker.received.find((action) => action.workflowRunId === runId);
    expect(started(workflowRunId)).toMatchObject({
      parentWorkflowRunId: parentId,
      childWorkflowIndex: 3,
      childWorkflowKey: 'mine',
    });
    expect(started(parentId)).toMatchObject({
      parentWorkflowRunId: undefined,
      childWorkflowIndex: undefined,
      childWorkflowKey: undefined,
    });
    await clients.call(clients.admin, clients.admin.cancelTasks, { externalIds: [parentId] });
  });

  it('has its own errors told as they came, and the engine has its as plain text, wherever they are told', async () => {
    await clients.call(
      clients.admin,
      clients.admin.putWorkflow,
      workflowRequest('slow', [taskRequest('slow', { timeout: '1s' })], { onFailureTask: taskRequest('after') }),
    );
    const other = new ContractWorker(clients, ({ taskName }) => (taskName === 'slow' ? 'hold' : { output: {} }));
    await other.start(['wf:slow', 'wf:after']);
    const errors = async (runId: string): Promise<[Record<string, string>, (string | undefined)[]]> => {
      const { results } = await new Promise<WorkflowRunEvent>((resolve) => {
        const stream = clients.dispatcher.subscribeToWorkflowRuns(clients.metadata());
        stream.on('error', () => undefined);
        stream.on('data', (event: WorkflowRunEvent) => {
          stream.cancel();
          resolve(event);
        });
        stream.write({ workflowRunId: runId });
      });
      const { taskRuns } = await clients.call(clients.admin, clients.admin.getRunDetails, { externalId: runId });
      return [
        Object.fromEntries(results.flatMap(({ taskName, error }) => (error === undefined ? [] : [[taskName, error]]))),
        Object.values(taskRuns).flatMap(({ error }) => error ?? []),
      ];
    };
    const [late, broken] = ['Task exceeded timeout of 1s', '{"message":"told to fail","stack":""}'];
    expect(await errors(await trigger('slow'))).toEqual([{ slow: late }, [late]]);
    expect(
      JSON.parse(other.received.find(({ taskName }) => taskName === 'after')?.actionPayload ?? '{}'),
    ).toMatchObject({ step_run_errors: { slow: late } });
    expect(await errors(await trigger('one', { do: 'fail' }))).toEqual([{ only: broken }, [broken]]);
    other.hangUp();
  });

  it('says with a failure how long its retry is to wait, alone or of a batch', async () => {
    const delayed = async (runId: string, fail: (action: AssignedAction) => Promise<unknown>): Promise<void> => {
      const started = (): AssignedAction | undefined =>
        worker.received.find((action) => action.workflowRunId === runId);
      await expect.poll(started).toBeDefined();
      await untilStatus(runId, RunStatus.RUN_STATUS_RUNNING);
      const action = started();
      if (action !== undefined) await fail(action);
      expect((await clients.call(clients.monitor, clients.monitor.getRun, { runId })).tasks).toMatchObject([
        { liveState: 'DELAYED', cause: { code: 'BACKOFF' } },
      ]);
      await clients.call(clients.admin, clients.admin.cancelTasks, { externalIds: [runId] });
    };
    const { dispatcher } = clients;
    const common = {
      workerId: worker.workerId,
      jobId: '',
      jobRunId: '',
      taskId: '',
      actionId: 'wf:only',
      eventTimestamp: new Date(),
      eventType: StepActionEventType.STEP_EVENT_TYPE_FAILED,
    };
    await delayed(await trigger('one', { do: 'hold' }), ({ taskRunExternalId }) =>
      clients.call(dispatcher, dispatcher.sendStepActionEvent, {
        ...common,
        taskRunExternalId,
        eventPayload: '{"message":"busy"}',
        retryCount: 0,
        retryAfterMs: 3_600_000n,
      }),
    );
    await delayed(await trigger('one', { do: 'hold' }), ({ taskRunExternalId }) =>
      clients.call(dispatcher, dispatcher.sendBatchActionEvent, {
        ...common,
        items: [{ taskRunExternalId, eventPayload: '{"message":"busy"}', retryCount: 0, retryAfterMs: 3_600_000n }],
      }),
    );
  });

  it('releases its slot early, refreshes its timeout, and keeps log lines in order', async () => {
    const runId = await trigger('one', { do: 'hold' });
    await untilStatus(runId, RunStatus.RUN_STATUS_RUNNING);
    const { dispatcher, events, monitor } = clients;
    await clients.call(dispatcher, dispatcher.releaseSlot, { taskRunExternalId: runId });
    const refreshed = await clients.call(dispatcher, dispatcher.refreshTimeout, {
      taskRunExternalId: runId,
      incrementTimeoutBy: '5m',
    });
    expect((refreshed.timeoutAt?.getTime() ?? 0) - Date.now()).toBeGreaterThan(5 * 60_000);
    await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        clients.call(events, events.putLog, {
          taskRunExternalId: runId,
          createdAt: new Date(),
          message: `line ${i}`,
          level: 'INFO',
          metadata: '',
        }),
      ),
    );
    const { lines } = await clients.call(monitor, monitor.listLogs, { id: runId, levels: [] });
    expect(lines.map((line) => line.message)).toEqual(Array.from({ length: 200 }, (_, i) => `line ${i}`));
    await clients.call(clients.admin, clients.admin.cancelTasks, { externalIds: [runId] });
    const { events: timeline } = await clients.call(monitor, monitor.listRunEvents, { runId });
    expect(timeline.map((event) => event.type)).toEqual([
      'RUN_CREATED',
      'CREATED',
      'QUEUED',
      'ASSIGNED',
      'SENT_TO_WORKER',
      'STARTED',
      'SLOT_RELEASED',
      'TIMEOUT_REFRESHED',
      'CANCELLED',
      'RUN_FINISHED',
    ]);
  });

  it('hands over log lines in bulk: in their order, all or none', async () => {
    const runId = await trigger('one', { do: 'hold' });
    await untilStatus(runId, RunStatus.RUN_STATUS_RUNNING);
    const { monitor } = clients;
    const lines = (
      count: number,
      message = (index: number) => `line ${index}`,
    ): {
      taskRunExternalId: string;
      taskRetryCount: number;
      createdAt: Date;
      level: string;
      message: string;
      metadata: string;
    }[] =>
      Array.from({ length: count }, (_, index) => ({
        taskRunExternalId: runId,
        taskRetryCount: 0,
        createdAt: new Date(),
        level: 'WARN',
        message: message(index),
        metadata: '{"n":1}',
      }));
    await clients.call(monitor, monitor.putLogs, { lines: lines(1000) });
    expect(
      await codeOf(clients.call(monitor, monitor.putLogs, { lines: lines(10, (index) => (index === 7 ? '' : 'x')) })),
    ).toMatchObject({ code: Code.INVALID_ARGUMENT });
    expect(await codeOf(clients.call(monitor, monitor.putLogs, { lines: lines(1001) }))).toMatchObject({
      code: Code.INVALID_ARGUMENT,
    });
    const all = (await clients.call(monitor, monitor.listLogs, { id: runId, levels: [], limit: 10_000 })).lines;
    expect(all.map((line) => line.message)).toEqual(Array.from({ length: 1000 }, (_, index) => `line ${index}`));
    expect(all[0]).toMatchObject({ level: 'WARN', metadata: '{"n":1}', attempt: 0 });
    const newest = await clients.call(monitor, monitor.listLogs, { id: runId, levels: [], limit: 3, newest: true });
    expect(newest).toMatchObject({ lines: all.slice(-3), next: undefined });
    await clients.call(clients.admin, clients.admin.cancelTasks, { externalIds: [runId] });
  });
});
