import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  ConcurrencyLimitStrategy,
  CreateWorkflowVersionRequest,
  IdempotencyMethod,
  StickyStrategy as WireSticky,
} from '../../../proto/gen/hatchet/contract/v1/workflows.ts';
import { toRegistration } from '../../../sdk/definition/registration.ts';
import { Hatchet } from '../../../sdk/index.ts';

const claims = Buffer.from(
  JSON.stringify({ sub: 't', server_url: 'http://127.0.0.1:1', grpc_broadcast_address: '127.0.0.1:2' }),
).toString('base64url');
const hatchet = Hatchet.init({ token: `a.${claims}.b` });
const fn = (): void => {};

describe('toRegistration', () => {
  it('has the defaults of the contract for a plain task', () => {
    const { definition } = hatchet.task({ name: 'Simple', fn });
    expect(toRegistration(definition, '', undefined)).toMatchObject({
      name: 'simple',
      tasks: [
        {
          readableId: 'Simple',
          action: 'simple:simple',
          timeout: '60s',
          scheduleTimeout: undefined,
          inputs: '{}',
          parents: [],
          retries: 0,
          isDurable: false,
          slotRequests: { default: 1 },
          concurrency: [],
        },
      ],
    });
  });

  it('carries how a batch is gathered, and refuses what cannot be', () => {
    const batch = {
      maxSize: 3,
      maxInterval: '1m30s',
      groupKey: 'input.user',
      groupMaxRuns: 2,
      broadcastOutput: true,
    } as const;
    const { definition } = hatchet.batchTask({ name: 'gathers', batch, fn: () => ({ all: true }) });
    expect(toRegistration(definition, '', undefined).tasks[0]).toMatchObject({
      retries: 0,
      batch: {
        batchMaxSize: 3,
        batchMaxIntervalMs: 90_000,
        batchGroupKey: 'input.user',
        batchGroupMaxRuns: 2,
        broadcastOutput: true,
      },
    });
    for (const [wrong, option] of [
      [{ maxSize: 0 }, 'maxSize'],
      [{ maxSize: 1.5 }, 'maxSize'],
      [{ maxSize: 2, maxInterval: 0 }, 'maxInterval'],
      [{ maxSize: 2, groupMaxRuns: 0 }, 'groupMaxRuns'],
    ] as const) {
      const refused = hatchet.batchTask({ name: 'wrong', batch: wrong, fn: () => ({}) });
      expect(() => toRegistration(refused.definition, '', undefined), option).toThrow(
        `batch.${option} of the task wrong`,
      );
    }
  });

  it('carries every option, and survives the wire', () => {
    const { definition } = hatchet.task({
      name: 'full',
      description: 'all of it',
      executionTimeout: { minutes: 5 },
      scheduleTimeout: '1h',
      retries: 4,
      backoff: { factor: 2, maxSeconds: 60 },
      concurrency: {
        expression: 'input.key',
        maxRuns: 'input.max',
        limitStrategy: ConcurrencyLimitStrategy.GROUP_ROUND_ROBIN,
      },
      rateLimits: [
        { dynamicKey: 'input.user', units: 1, limit: 10 },
        { staticKey: 'api', units: 'input.cost' },
      ],
      desiredWorkerLabels: { zone: { value: 'a', required: true }, cores: { value: 4, comparator: 3, weight: 10 } },
      sticky: 'soft',
      onEvents: ['user:created'],
      on: { cron: '0 * * * *', event: ['a', 'b'] },
      defaultPriority: 2,
      idempotency: { expression: 'input.id', strategy: 'status', fallbackTtlMs: 1000 },
      slotCost: 3,
      fn,
    });
    const registration = toRegistration(definition, 'dev_', { type: 'object' });
    expect(
      CreateWorkflowVersionRequest.decode(CreateWorkflowVersionRequest.encode(registration).finish()),
    ).toMatchObject({
      name: 'dev_full',
      description: 'all of it',
      eventTriggers: ['dev_user:created', 'dev_a', 'dev_b'],
      cronTriggers: ['0 * * * *'],
      sticky: WireSticky.SOFT,
      defaultPriority: 2,
      concurrencyArr: [
        {
          expression: 'input.key',
          maxRuns: 1,
          maxRunsExpression: 'input.max',
          limitStrategy: ConcurrencyLimitStrategy.GROUP_ROUND_ROBIN,
        },
      ],
      inputJsonSchema: Buffer.from('{"type":"object"}'),
      idempotency: { expression: 'input.id', ttlMs: 1000n, method: IdempotencyMethod.STATUS },
      tasks: [
        {
          action: 'dev_full:full',
          timeout: '5m',
          scheduleTimeout: '1h',
          retries: 4,
          backoffFactor: 2,
          backoffMaxSeconds: 60,
          concurrency: [],
          slotRequests: { default: 3 },
          rateLimits: [
            { key: 'input.user', keyExpr: 'input.user', units: 1, limitValuesExpr: '10', duration: 1 },
            { key: 'api', unitsExpr: 'input.cost' },
          ],
          workerLabels: { zone: { strValue: 'a', required: true }, cores: { intValue: 4, comparator: 3, weight: 10 } },
        },
      ],
    });
  });

  it('has the parents by name, the defaults of the workflow, and the hooks', () => {
    const flow = hatchet.workflow({
      name: 'flow',
      taskDefaults: { retries: 2, executionTimeout: '5s', backoff: { factor: 3 } },
    });
    const a = flow.task({ name: 'a', fn });
    const b = flow.task({ name: 'b', fn, parents: [a], retries: 0 });
    flow.task({ name: 'c', fn, parents: [a] });
    flow.task({ name: 'd', fn, parents: [b] });
    flow.onFailure({ fn, executionTimeout: '9s' });
    flow.onSuccess(fn);
    const { tasks, onFailureTask } = toRegistration(flow.definition, '', undefined);
    expect(
      tasks.map(({ readableId, parents, retries, timeout, backoffFactor }) => [
        readableId,
        parents,
        retries,
        timeout,
        backoffFactor,
      ]),
    ).toEqual([
      ['a', [], 2, '5s', 3],
      ['b', ['a'], 0, '5s', 3],
      ['c', ['a'], 2, '5s', 3],
      ['d', ['b'], 2, '5s', 3],
      ['on-success-task', ['c', 'd'], 2, '5s', 3],
    ]);
    expect(onFailureTask).toMatchObject({
      readableId: 'on-failure-task',
      action: 'flow:on-failure-task',
      timeout: '9s',
    });
  });

  it('takes a task that stands alone into a workflow', () => {
    const alone = hatchet.task({ name: 'alone', retries: 1, fn: (input: { n: number }) => input });
    const flow = hatchet.workflow<{ n: number }>({ name: 'flow' });
    const step = flow.task(alone);
    flow.task({ name: 'next', parents: [step], fn });
    expect(toRegistration(flow.definition, '', undefined).tasks).toMatchObject([
      { readableId: 'alone', action: 'flow:alone', retries: 1 },
      { readableId: 'next', parents: ['alone'] },
    ]);
  });

  it.each<[string, () => { definition: Parameters<typeof toRegistration>[0] }]>([
    ['a name with a space', () => hatchet.task({ name: 'my task', fn })],
    ['an empty workflow', () => hatchet.workflow({ name: 'empty' })],
    ['a fraction of a retry', () => hatchet.task({ name: 'x', fn, retries: 1.5 })],
    ['a negative retry', () => hatchet.task({ name: 'x', fn, retries: -1 })],
    ['a factor below 1', () => hatchet.task({ name: 'x', fn, backoff: { factor: 0.5 } })],
    ['a factor above 1000', () => hatchet.task({ name: 'x', fn, backoff: { factor: 1001 } })],
    ['no slots', () => hatchet.task({ name: 'x', fn, slotCost: 0 })],
    ['no runs at once', () => hatchet.task({ name: 'x', fn, concurrency: { expression: 'input.a', maxRuns: 0 } })],
    [
      'a shared concurrency without a name',
      () => hatchet.task({ name: 'x', fn, concurrency: { expression: 'input.a', isTenantScoped: true } }),
    ],
    [
      'a rate limit with two keys',
      () => hatchet.task({ name: 'x', fn, rateLimits: [{ units: 1, staticKey: 'a', dynamicKey: 'b' }] }),
    ],
    [
      'two tasks of one name',
      () => {
        const flow = hatchet.workflow({ name: 'twice' });
        flow.task({ name: 'a', fn });
        flow.task({ name: 'a', fn });
        return flow;
      },
    ],
    [
      'a parent of another workflow',
      () => {
        const flow = hatchet.workflow({ name: 'orphan' });
        flow.task({ name: 'a', parents: [hatchet.workflow({ name: 'other' }).task({ name: 'b', fn })], fn });
        return flow;
      },
    ],
    [
      'a reserved name',
      () => {
        const flow = hatchet.workflow({ name: 'reserved' });
        flow.task({ name: 'on-failure-task', fn });
        return flow;
      },
    ],
  ])('refuses %s', (_what, declare) => {
    expect(() => toRegistration(declare().definition, '', undefined)).toThrow(
      expect.objectContaining({ code: 'INVALID_DEFINITION' }),
    );
  });

  it('refuses a wrong time', () => {
    const given = [
      hatchet.task({ name: 'x', executionTimeout: -5, fn }),
      hatchet.durableTask({ name: 'x', evictionPolicy: { ttl: -5 }, fn }),
    ];
    for (const { definition } of given)
      expect(() => toRegistration(definition, '', undefined)).toThrow(
        expect.objectContaining({ code: 'INVALID_DURATION' }),
      );
  });

  it('keeps the schemas for the worker', () => {
    const input = z.object({ n: z.number() });
    const output = z.object({ m: z.number() });
    const { definition } = hatchet.task({ name: 'x', input, output, fn: ({ n }) => ({ m: n }) });
    expect(definition.inputSchema).toBe(input);
    expect(definition.steps[0]?.outputSchema).toBe(output);
  });
});
