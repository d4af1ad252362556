import { status as Code } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GroupKeyActionEventType } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import {
  ConcurrencyLimitStrategy,
  StickyStrategy,
  type CreateWorkflowStepOpts,
  type CreateWorkflowVersionOpts,
  type WorkflowVersion,
} from '../../proto/gen/hatchet/contract/workflows.ts';
import { RunStatus } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { codeOf, contractFixture } from '../helpers/contract-fixture.ts';
import { ContractWorker } from '../helpers/contract-worker.ts';
import type { GrpcClients } from '../helpers/grpc-client.ts';

const contract = contractFixture('older-contract');
const { trigger, untilStatus } = contract;
let clients: GrpcClients;
let worker: ContractWorker;

beforeAll(async () => {
  ({ clients } = contract);
  worker = new ContractWorker(clients, ({ taskName, actionPayload }) =>
    taskName === 'first' && actionPayload.includes('break') ? { error: 'broken', mayRetry: false } : { output: {} },
  );
  await worker.start(['older:first', 'older:second', 'older:after']);
});

afterAll(() => worker.hangUp());

function step(readableId: string, options: Partial<CreateWorkflowStepOpts> = {}): CreateWorkflowStepOpts {
  const plain = { timeout: '60s', inputs: '{}', parents: [], userData: '{}', retries: 0, rateLimits: [] };
  return { readableId, action: `older:${readableId}`, workerLabels: {}, ...plain, ...options };
}

function job(...steps: CreateWorkflowStepOpts[]): CreateWorkflowVersionOpts['jobs'][number] {
  return { name: 'job', description: '', steps };
}

const put = (options: Partial<CreateWorkflowVersionOpts> = {}): Promise<WorkflowVersion> =>
  clients.call(clients.workflows, clients.workflows.putWorkflow, {
    opts: {
      name: 'older',
      description: 'as it was',
      version: 'v0.1.0',
      eventTriggers: ['older:event'],
      cronTriggers: ['0 0 1 1 *'],
      scheduledTriggers: [],
      jobs: [job(step('first')), job(step('second', { parents: ['first'], retries: 2, backoffFactor: 2 }))],
      onFailureJob: job(step('after')),
      scheduleTimeout: '7m',
      sticky: StickyStrategy.SOFT,
      defaultPriority: 2,
      concurrency: { expression: 'input.key', maxRuns: 3, limitStrategy: ConcurrencyLimitStrategy.GROUP_ROUND_ROBIN },
      ...options,
    },
  });

describe('workflows that are registered by the older contract', () => {
  it('have all that it can say, and keep their version while they stay the same', async () => {
    const made = await put();
    expect(made).toMatchObject({ version: '1', order: 1n, scheduledWorkflows: [], createdAt: expect.any(Date) });
    const { rows } = await contract.fixture.database.pool.query<{ definition: unknown }>(
      'SELECT definition FROM workflow_version WHERE id = $1 AND workflow_id = $2',
      [made.id, made.workflowId],
    );
    expect(rows[0]?.definition).toMatchObject({
      name: 'older',
      description: 'as it was',
      defaultPriority: 2,
      eventKeys: ['older:event'],
      sticky: 'SOFT',
      onFailure: 2,
      concurrency: [{ expression: 'input.key', strategy: 'GROUP_ROUND_ROBIN' }],
      steps: [
        { name: 'first', action: 'older:first', parents: [], scheduleTimeoutMs: 420_000 },
        { name: 'second', parents: [0], retries: 2, backoffFactor: 2, scheduleTimeoutMs: 420_000 },
        { name: 'after', action: 'older:after' },
      ],
    });
    expect((await put()).id).toBe(made.id);
    expect(await put({ description: 'changed' })).toMatchObject({ workflowId: made.workflowId, order: 2n });
  });

  it('run, with the task of their failure job', async () => {
    await put();
    await untilStatus(await trigger('older', { key: 'a' }), RunStatus.RUN_STATUS_COMPLETED);
    worker.received.length = 0;
    await untilStatus(await trigger('older', { key: 'a', do: 'break' }), RunStatus.RUN_STATUS_FAILED);
    expect(worker.received.map(({ taskName }) => taskName)).toEqual(['first', 'after']);
  });

  it('take no action of the worker for their concurrency, and are refused whole where something is wrong', async () => {
    const named = { name: 'older-keyed' };
    await put({ ...named, concurrency: { action: 'older:key', maxRuns: 1 } });
    for (const wrong of [
      { concurrency: { maxRuns: 1 } },
      { jobs: [] },
      { jobs: [job(step('first', { parents: ['nobody'] }))] },
      { cronTriggers: ['61 * * * *'] },
    ])
      expect(await codeOf(put({ ...named, ...wrong }))).toMatchObject({ code: Code.INVALID_ARGUMENT });
    const none = clients.call(clients.workflows, clients.workflows.putWorkflow, {});
    expect(await codeOf(none)).toMatchObject({ code: Code.INVALID_ARGUMENT });
  });
});

it('a report on a concurrency key is refused as unimplemented, as by Hatchet: no such action is ever assigned', async () => {
  const { dispatcher } = clients;
  const report = clients.call(dispatcher, dispatcher.sendGroupKeyActionEvent, {
    workerId: worker.workerId,
    workflowRunId: '',
    getGroupKeyRunId: '',
    actionId: 'older:key',
    eventType: GroupKeyActionEventType.GROUP_KEY_EVENT_TYPE_COMPLETED,
    eventPayload: 'a',
  });
  expect(await codeOf(report)).toMatchObject({ code: Code.UNIMPLEMENTED });
});
