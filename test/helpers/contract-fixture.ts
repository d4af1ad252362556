import type { ServiceError, status as Code } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect } from 'vitest';
import type { RunningEngine } from '../../engine/index.ts';
import type { AssignedAction } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import type { RunStatus } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { ContractWorker, taskRequest, workflowRequest, type Outcome } from './contract-worker.ts';
import { engineFixture, type EngineFixture } from './engine-fixture.ts';
import type { GrpcClients } from './grpc-client.ts';

function handle(action: AssignedAction): Outcome {
  const order = /"input":\{"do":"(\w+)"/.exec(action.actionPayload)?.[1];
  if (order === 'hold') return 'hold';
  if (order === 'fail') return { error: 'told to fail', mayRetry: false };
  if (order === 'flaky' && action.retryCount < 2) return { error: `attempt ${action.retryCount}` };
  return { output: { from: action.taskName } };
}

export function codeOf(call: Promise<unknown>): Promise<{ code: Code | undefined; message: string }> {
  return call.then(
    () => ({ code: undefined, message: '' }),
    (error: ServiceError) => ({ code: error.code, message: error.details }),
  );
}

/** An engine with the workflows `one`, `dag` and, for which there is no worker, `parked`; a run's input `do` tells the worker what to do. */
class ContractFixture {
  readonly fixture: EngineFixture<RunningEngine>;
  #worker: ContractWorker | undefined;

  constructor(fixture: EngineFixture<RunningEngine>) {
    this.fixture = fixture;
  }

  get clients(): GrpcClients {
    return this.fixture.clients;
  }

  get worker(): ContractWorker {
    return (this.#worker ??= new ContractWorker(this.clients, handle));
  }

  readonly trigger = async (
    workflowName: string,
    input: unknown = {},
    extra: Record<string, string> = {},
  ): Promise<string> => {
    const { clients } = this;
    const request = {
      workflowName,
      input: Buffer.from(JSON.stringify(input)),
      additionalMetadata: Buffer.from('{"team":"blue"}'),
      desiredWorkerLabels: {},
    };
    return (await clients.call(clients.admin, clients.admin.triggerWorkflowRun, request, extra)).externalId;
  };

  readonly statusOf = async (runId: string): Promise<RunStatus | undefined> => {
    const { clients } = this;
    return (await clients.call(clients.monitor, clients.monitor.getRun, { runId })).run?.status;
  };

  readonly untilStatus = async (runId: string, status: RunStatus): Promise<void> => {
    await expect.poll(() => this.statusOf(runId), { interval: 20 }).toBe(status);
  };

  async serve(): Promise<void> {
    const { clients } = this;
    const put = (...[name, tasks]: Parameters<typeof workflowRequest>): Promise<unknown> =>
      clients.call(clients.admin, clients.admin.putWorkflow, workflowRequest(name, tasks));
    await put('one', [taskRequest('only', { retries: 3 })]);
    await put('dag', [
      taskRequest('a'),
      taskRequest('b', { parents: ['a'] }),
      taskRequest('c', { parents: ['a'] }),
      taskRequest('d', { parents: ['b', 'c'] }),
    ]);
    await put('parked', [taskRequest('nobody')]);
    await this.worker.start(['wf:only', 'wf:a', 'wf:b', 'wf:c', 'wf:d']);
  }
}

/** For the tests of the file that calls it. */
export function contractFixture(name: string): ContractFixture {
  const contract = new ContractFixture(engineFixture(name));
  beforeAll(() => contract.serve());
  afterAll(() => contract.worker.hangUp());
  return contract;
}
