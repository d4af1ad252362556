import { status, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { LimitName } from '../../engine/auth/tenant-limits.ts';
import { IdempotencyMethod } from '../../proto/gen/hatchet/contract/v1/workflows.ts';
import { RateLimitDuration } from '../../proto/gen/hatchet/contract/workflows.ts';
import { taskRequest, workflowRequest } from '../helpers/contract-worker.ts';
import { GrpcClients } from '../helpers/grpc-client.ts';
import { makeNeighbour } from '../helpers/neighbour.ts';
import { patient } from '../helpers/patient.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';

/** What one tenant can make grow ends at a limit, which the answer names; the tenant beside it goes on. */
const fixture = engineFixture('limits');
let tenantId: string;
let clients: GrpcClients;
let stranger: GrpcClients;
let token: string;

beforeAll(async () => {
  ({ tenantId, token } = await makeNeighbour(fixture.database.pool, fixture.dataDir));
  clients = new GrpcClients(fixture.engine.grpc, token);
  stranger = new GrpcClients(fixture.engine.grpc, fixture.engine.token);
  await setLimits({});
  for (const each of [clients, stranger])
    await each.call(
      each.admin,
      each.admin.putWorkflow,
      workflowRequest('one', [taskRequest('only', {})], { eventTriggers: ['started'] }),
    );
});

afterAll(async () => {
  clients.close();
  stranger.close();
});

async function setLimits(limits: Partial<Record<LimitName, number>>): Promise<void> {
  await fixture.database.pool.query('UPDATE tenant SET limits = $2 WHERE id = $1', [tenantId, JSON.stringify(limits)]);
}

const trigger = (by: GrpcClients): Promise<unknown> =>
  by.call(by.workflows, by.workflows.triggerWorkflow, { name: 'one', input: '{}', desiredWorkerLabels: {} });
const putWorkflow = (name: string, more: Parameters<typeof workflowRequest>[2] = {}) =>
  clients.call(clients.admin, clients.admin.putWorkflow, workflowRequest(name, [taskRequest('only', {})], more));

async function rest(method: string, path: string, body: object): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${fixture.engine.http.port}${path.replace(':tenant', tenantId)}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
  const said = await response.text();
  if (response.status === 429) throw Object.assign(new Error(said), { code: status.RESOURCE_EXHAUSTED, details: said });
  if (!response.ok) throw new Error(`${response.status}: ${said}`);
}

let made = 0;
const name = (): string => `made-${++made}`;
const workflowId = async (): Promise<string> =>
  (
    await fixture.database.pool.query<{ id: string }>(`SELECT id FROM workflow WHERE tenant_id = $1 AND name = 'one'`, [
      tenantId,
    ])
  ).rows[0]?.id ?? '';
const runId = async (): Promise<string> =>
  (await fixture.database.pool.query<{ id: string }>('SELECT id FROM run WHERE tenant_id = $1 LIMIT 1', [tenantId]))
    .rows[0]?.id ?? '';
const idempotent = { expression: 'string(input.n)', ttlMs: 3_600_000n, method: IdempotencyMethod.TTL };

/** Each makes one more of what the limit is on. */
const growth: Partial<Record<LimitName, () => Promise<unknown>>> = {
  workflows: () => putWorkflow(name()),
  definitionChars: () => putWorkflow('grows', { description: 'x'.repeat(1000) + name() }),
  workers: () =>
    clients.call(clients.dispatcher, clients.dispatcher.register, {
      workerName: name(),
      actions: [],
      services: [],
      labels: {},
      slotConfig: {},
    }),
  filters: async () =>
    rest('POST', '/api/v1/stable/tenants/:tenant/filters', {
      workflowId: await workflowId(),
      scope: name(),
      expression: 'true',
    }),
  filterChars: async () =>
    rest('POST', '/api/v1/stable/tenants/:tenant/filters', {
      workflowId: await workflowId(),
      scope: name(),
      expression: 'true',
      payload: { text: 'x'.repeat(1000) },
    }),
  crons: () =>
    rest('POST', '/api/v1/tenants/:tenant/workflows/one/crons', {
      cronName: name(),
      cronExpression: '0 0 1 1 *',
      input: {},
    }),
  schedules: () =>
    rest('POST', '/api/v1/tenants/:tenant/workflows/one/scheduled', {
      triggerAt: new Date(Date.now() + 86_400_000).toISOString(),
      input: {},
    }),
  rateLimits: () =>
    clients.call(clients.workflows, clients.workflows.putRateLimit, {
      key: name(),
      limit: 1,
      duration: RateLimitDuration.HOUR,
    }),
  unfinishedTasks: () => trigger(clients),
  webhooks: () =>
    rest('POST', '/api/v1/stable/tenants/:tenant/webhooks', {
      name: name(),
      sourceName: 'GENERIC',
      eventKeyExpression: '"key"',
      authType: 'API_KEY',
      auth: { headerName: 'x-key', apiKey: 'secret' },
    }),
  logCharsPerDay: async () =>
    clients.call(clients.events, clients.events.putLog, {
      taskRunExternalId: await runId(),
      createdAt: new Date(),
      message: 'x'.repeat(1000),
      level: 'INFO',
      metadata: '',
      taskRetryCount: 0,
    }),
  streamBytesPerDay: async () =>
    clients.call(clients.events, clients.events.putStreamEvent, {
      taskRunExternalId: await runId(),
      createdAt: new Date(),
      message: Buffer.alloc(1000),
      metadata: '',
    }),
  callsPerSecond: () =>
    Promise.all(Array.from({ length: 20 }, () => clients.call(clients.monitor, clients.monitor.listQueues, {}))),
};

beforeEach(async () => {
  await setLimits({});
});

it.each(Object.entries(growth))('%s', async (limit, grow) => {
  const small: Partial<Record<string, number>> = {
    definitionChars: 20_000,
    filterChars: 20_000,
    logCharsPerDay: 10_000,
    streamBytesPerDay: 10_000,
    callsPerSecond: 40,
  };
  // The limit of the test before may still be in force for a moment.
  await vi.waitFor(grow, patient);
  await fixture.database.pool.query('UPDATE tenant SET limits = $2 WHERE id = $1', [
    tenantId,
    JSON.stringify({ [limit]: small[limit] ?? 5 }),
  ]);
  // What a person sets is in force within seconds.
  const refusal = await vi.waitFor(async () => {
    const error = await grow().then(
      () => undefined,
      (failure: ServiceError) => failure,
    );
    expect(error).toBeDefined();
    return error;
  }, patient);
  expect(refusal).toMatchObject({
    code: status.RESOURCE_EXHAUSTED,
    details: expect.stringMatching(
      new RegExp(
        `the tenant's limit ${limit} is ${small[limit] ?? 5}, and the call would make it \\d+.*hatchet tenants limits`,
      ),
    ),
  });
  // The tenant beside it, in the same shard, notices nothing.
  await trigger(stranger);
});

it('open streams', async () => {
  await setLimits({ openStreams: 3 });
  const endings: string[] = [];
  const open = (): void => {
    const call = clients.monitor.streamOverview({}, clients.metadata());
    call.on('data', () => undefined);
    call.on('error', (error: ServiceError) => endings.push(`${status[error.code]}: ${error.details}`));
  };
  await vi.waitFor(() => {
    open();
    expect(endings.join('\n')).toMatch(/^RESOURCE_EXHAUSTED: the tenant's limit openStreams is 3/m);
  }, patient);
});

it('idempotency keys', async () => {
  await putWorkflow('keyed', { idempotency: idempotent });
  await setLimits({ idempotencyKeys: 3 });
  let n = 0;
  const error = await vi.waitFor(async () => {
    const failure = await clients
      .call(clients.workflows, clients.workflows.triggerWorkflow, {
        name: 'keyed',
        input: JSON.stringify({ n: n++ }),
        desiredWorkerLabels: {},
      })
      .then(
        () => undefined,
        (each: ServiceError) => each,
      );
    expect(failure).toBeDefined();
    return failure;
  }, patient);
  expect(error).toMatchObject({
    code: status.RESOURCE_EXHAUSTED,
    details: expect.stringContaining("the tenant's limit idempotencyKeys is 3"),
  });
});
