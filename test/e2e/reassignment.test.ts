import { beforeAll, describe, expect, it } from 'vitest';
import { StepActionEventType } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import { RunStatus } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { ContractWorker, taskRequest, workflowRequest } from '../helpers/contract-worker.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';
import type { GrpcClients } from '../helpers/grpc-client.ts';

const fixture = engineFixture('reassign', { workerTimeoutMs: 2_000 });
let clients: GrpcClients;

beforeAll(async () => {
  ({ clients } = fixture);
  await clients.call(clients.admin, clients.admin.putWorkflow, workflowRequest('one', [taskRequest('only')]));
});

async function trigger(): Promise<string> {
  return (
    await clients.call(clients.admin, clients.admin.triggerWorkflowRun, {
      workflowName: 'one',
      input: Buffer.from('{}'),
      additionalMetadata: Buffer.from('{}'),
      desiredWorkerLabels: {},
    })
  ).externalId;
}

async function statusOf(runId: string): Promise<RunStatus | undefined> {
  return (await clients.call(clients.monitor, clients.monitor.getRun, { runId })).run?.status;
}

async function eventTypes(runId: string): Promise<string[]> {
  return (await clients.call(clients.monitor, clients.monitor.listRunEvents, { runId })).events.map(
    (event) => event.type,
  );
}

describe('a lost worker', () => {
  it('gives its tasks to another, and its late report changes nothing', async () => {
    const lost = new ContractWorker(clients, () => 'hold');
    await lost.start(['wf:only']);
    const runId = await trigger();
    await expect.poll(() => lost.received.length).toBe(1);
    lost.hangUp();
    const other = new ContractWorker(clients, () => ({ output: { by: 'other' } }));
    await other.start(['wf:only']);
    await expect.poll(() => statusOf(runId)).toBe(RunStatus.RUN_STATUS_COMPLETED);
    const [action] = lost.received;
    if (action === undefined) throw new Error('not received');
    await lost.report(action, 2, '{"by":"lost"}');
    const { tasks } = await clients.call(clients.monitor, clients.monitor.getRun, { runId });
    expect(tasks[0]?.output).toBe('{"by":"other"}');
    expect(tasks[0]?.attempt).toBe(1);
    expect(await eventTypes(runId)).toContain('REASSIGNED');
    other.hangUp();
  });

  it('that had unsubscribed before a restart is watched over all the same', async () => {
    const leaving = new ContractWorker(clients, () => 'hold');
    await leaving.start(['wf:only']);
    const runId = await trigger();
    await expect.poll(() => leaving.received.length).toBe(1);
    await clients.call(clients.dispatcher, clients.dispatcher.unsubscribe, { workerId: leaving.workerId });
    leaving.hangUp();
    await fixture.engine.stop();
    await fixture.startAgain();
    // It may still report for as long as a heartbeat would have counted; then its task goes on elsewhere.
    const other = new ContractWorker(clients, () => ({ output: { by: 'other' } }));
    await other.start(['wf:only']);
    await expect.poll(() => statusOf(runId)).toBe(RunStatus.RUN_STATUS_COMPLETED);
    other.hangUp();
  });

  it('is told of a cancellation when its stream is back', async () => {
    const worker = new ContractWorker(clients, () => 'hold');
    await worker.start(['wf:only']);
    const runId = await trigger();
    await expect.poll(() => worker.received.length).toBe(1);
    worker.hangUp();
    await clients.call(clients.admin, clients.admin.cancelTasks, { externalIds: [runId] });
    expect(await statusOf(runId)).toBe(RunStatus.RUN_STATUS_CANCELLED);
    worker.listen();
    await expect.poll(() => worker.received.map((action) => action.actionType)).toEqual([0, 1]);
    worker.hangUp();
  });
});

describe('a worker that says nothing of what it is sent', () => {
  it('hears a cancel, gets nothing more, and gets tasks again once it has said something', async () => {
    const mute = new ContractWorker(clients, () => ({ output: { by: 'mute' } }));
    mute.manner = 'mute';
    await mute.start(['wf:only']);
    const first = await trigger();
    await expect.poll(() => mute.received.map((action) => action.actionType), { timeout: 20_000 }).toEqual([0, 1]);
    const [action, cancel] = mute.received;
    if (action === undefined) throw new Error('not received');
    expect(cancel).toMatchObject({ taskRunExternalId: first, retryCount: 0 });
    const second = await trigger();
    expect(await statusOf(second)).toBe(RunStatus.RUN_STATUS_QUEUED);
    // It is late, and counts for nothing but a sign of life.
    mute.manner = 'answers';
    await mute.report(action, StepActionEventType.STEP_EVENT_TYPE_STARTED, '');
    for (const runId of [first, second]) await expect.poll(() => statusOf(runId)).toBe(RunStatus.RUN_STATUS_COMPLETED);
    expect(mute.received.map(({ taskRunExternalId, retryCount }) => [taskRunExternalId, retryCount])).toEqual([
      [first, 0],
      [first, 0],
      [first, 1],
      [second, 0],
    ]);
    mute.hangUp();
  });
});
