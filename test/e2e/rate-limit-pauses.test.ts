import { status as Code } from '@grpc/grpc-js';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { RateLimitDuration } from '../../proto/gen/hatchet/contract/workflows.ts';
import { codeOf } from '../helpers/contract-fixture.ts';
import { ContractWorker, taskRequest, workflowRequest } from '../helpers/contract-worker.ts';
import { engineProcessFixture } from '../helpers/engine-fixture.ts';
import type { GrpcClients } from '../helpers/grpc-client.ts';

const fixture = engineProcessFixture('rate-limit-pauses');
let clients: GrpcClients;

beforeAll(async () => {
  ({ clients } = fixture);
  await clients.call(clients.workflows, clients.workflows.putRateLimit, {
    key: 'mail',
    limit: 10,
    duration: RateLimitDuration.HOUR,
  });
  const rateLimits = [{ key: 'mail', units: 1 }];
  await clients.call(
    clients.admin,
    clients.admin.putWorkflow,
    workflowRequest('mail', [taskRequest('send', { rateLimits })]),
  );
});

const pause = async (key: string, pausedUntil?: Date): Promise<Date | undefined> =>
  (await clients.call(clients.workflows, clients.workflows.pauseRateLimit, { key, pausedUntil })).pausedUntil;

async function trigger(): Promise<string> {
  const request = { name: 'mail', input: '{}', desiredWorkerLabels: {} };
  return (await clients.call(clients.workflows, clients.workflows.triggerWorkflow, request)).workflowRunId;
}

const taskOf = async (runId: string) =>
  (await clients.call(clients.monitor, clients.monitor.getRun, { runId })).tasks[0];

describe('PauseRateLimit', () => {
  it('keeps tasks from the units of a key until its time, over a restart of the engine too', async () => {
    const worker = new ContractWorker(clients, () => ({ output: {} }));
    await worker.start(['wf:send']);
    const until = new Date(Date.now() + 6_000);
    expect(await pause('mail', until)).toEqual(until);
    expect(await pause('mail', new Date(until.getTime() - 5_000))).toEqual(until);
    await fixture.engine.end('SIGKILL');
    await fixture.startAgain();
    worker.hangUp();
    worker.listen();
    const runId = await trigger();
    await vi.waitFor(async () =>
      expect(await taskOf(runId)).toMatchObject({
        liveState: 'RATE_LIMITED',
        cause: { code: 'RATE_LIMIT', until },
      }),
    );
    await vi.waitFor(async () => expect((await taskOf(runId))?.startedAt).toBeInstanceOf(Date), { timeout: 20_000 });
    expect((await taskOf(runId))?.startedAt?.getTime()).toBeGreaterThanOrEqual(until.getTime());
    worker.hangUp();
  });

  it('refuses what names no key or no time', async () => {
    for (const refused of [
      pause('', new Date()),
      pause('mail'),
      pause('a\0b', new Date()),
      pause('mail', new Date(-1)),
    ])
      expect(await codeOf(refused)).toMatchObject({ code: Code.INVALID_ARGUMENT });
  });
});
