import { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/index.js';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { RunStatus } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { engineProcessFixture } from '../helpers/engine-fixture.ts';
import type { GrpcClients } from '../helpers/grpc-client.ts';
import { activeWorkers, slotsUsed } from '../helpers/listed-workers.ts';

const fixture = engineProcessFixture('published');
let clients: GrpcClients;
let hatchet: HatchetClient;

beforeAll(async () => {
  ({ clients } = fixture);
  Object.assign(process.env, fixture.env);
  fixture.spawn('published-sdk/worker.mjs');
  hatchet = HatchetClient.init();
  await vi.waitFor(async () => expect(await activeWorkers(clients)).toBe(1), { timeout: 30_000 });
});

async function statusOf(runId: string): Promise<RunStatus | undefined> {
  return (await clients.call(clients.monitor, clients.monitor.getRun, { runId })).run?.status;
}

describe('the published TypeScript SDK, unmodified', () => {
  it('runs a DAG with retries', async () => {
    const output = await hatchet.run('published-dag', { n: 1 }, { additionalMetadata: { team: 'blue' } });
    expect(output).toEqual({
      first: { n: 2 },
      flaky: { n: 20, attempt: 2 },
      last: { sum: 22, metadata: { team: 'blue' } },
    });
  });

  it('runs in bulk, answers in order', async () => {
    const refs = await hatchet.admin.runWorkflows(
      Array.from({ length: 300 }, (_, i) => ({ workflowName: 'lower', input: { message: `M${i}` }, options: {} })),
    );
    const outputs = await Promise.all(refs.map((ref) => ref.output));
    expect(outputs).toEqual(Array.from({ length: 300 }, (_, i) => ({ lower: { message: `m${i}` } })));
  });

  it('a task that blocks its worker is run once, and others wait for the worker to answer', async () => {
    const blocking = await hatchet.runNoWait('blocking', { ms: 9_000 }, {});
    await vi.waitFor(async () =>
      expect(await statusOf(await blocking.getWorkflowRunId())).toBe(RunStatus.RUN_STATUS_RUNNING),
    );
    const refs = await Promise.all(Array.from({ length: 5 }, () => hatchet.runNoWait('lower', { message: 'A' }, {})));
    await vi.waitFor(async () => expect(await activeWorkers(clients)).toBe(0), { timeout: 20_000 });
    for (const ref of refs) await expect(ref.output).resolves.toEqual({ lower: { message: 'a' } });
    expect(await activeWorkers(clients)).toBe(1);
    await expect(blocking.output).resolves.toEqual({ blocking: { attempt: 0 } });
  });

  it('reports a failure with its message', async () => {
    const ref = await hatchet.runNoWait('failing', {}, {});
    await expect(ref.output).rejects.toSatisfy((error: unknown) =>
      JSON.stringify(error, Object.getOwnPropertyNames(error)).includes('it does not work'),
    );
    expect(await statusOf(await ref.getWorkflowRunId())).toBe(RunStatus.RUN_STATUS_FAILED);
  });

  it('fails a task that runs too long, and tells its worker', async () => {
    const ref = await hatchet.runNoWait('too-slow', {}, {});
    await expect(ref.output).rejects.toBeDefined();
    const run = await clients.call(clients.monitor, clients.monitor.getRun, { runId: await ref.getWorkflowRunId() });
    expect(run.run?.status).toBe(RunStatus.RUN_STATUS_FAILED);
    expect(run.run?.errorMessage).toBe('Task exceeded timeout of 1s');
    await expect.poll(() => slotsUsed(clients)).toBe(0);
  });

  it('cancels a running task', async () => {
    const ref = await hatchet.runNoWait('cancellable', {}, {});
    const runId = await ref.getWorkflowRunId();
    await expect.poll(() => statusOf(runId)).toBe(RunStatus.RUN_STATUS_RUNNING);
    await hatchet.runs.cancel({ ids: [runId] });
    await expect.poll(() => statusOf(runId)).toBe(RunStatus.RUN_STATUS_CANCELLED);
    await expect.poll(() => slotsUsed(clients)).toBe(0);
  });

  it('goes on with the same worker after an engine restart, without a new registration', async () => {
    const before = await clients.call(clients.monitor, clients.monitor.listWorkers, { all: true });
    const running = await hatchet.runNoWait('cancellable', {}, {});
    await expect.poll(async () => statusOf(await running.getWorkflowRunId())).toBe(RunStatus.RUN_STATUS_RUNNING);
    await fixture.engine.end('SIGKILL');
    await fixture.startAgain();
    const output = await hatchet.run('lower', { message: 'AFTER' }, {});
    expect(output).toEqual({ lower: { message: 'after' } });
    const after = await clients.call(clients.monitor, clients.monitor.listWorkers, { all: true });
    expect(after.rows.map((row) => row.workerId)).toEqual(before.rows.map((row) => row.workerId));
    // What ran meanwhile is still the worker's.
    expect(await statusOf(await running.getWorkflowRunId())).toBe(RunStatus.RUN_STATUS_RUNNING);
    await hatchet.runs.cancel({ ids: [await running.getWorkflowRunId()] });
  });
});
