import { status as Code, type ServiceError } from '@grpc/grpc-js';
import { Client } from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { CelEvaluator } from '../../engine/cel/cel-evaluator.ts';
import { CelVariables } from '../../engine/cel/cel-variables.ts';
import { ContractWorker, taskRequest, workflowRequest } from '../helpers/contract-worker.ts';
import type { GrpcClients } from '../helpers/grpc-client.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';
import { tenantOf } from '../helpers/tenant.ts';

const fixture = engineFixture('json-depth');
let clients: GrpcClients;
let tenantId: string;
let workflowId: string;

/** Lists in objects, so many levels of both. */
function nested(levels: number): string {
  return `${'{"a":['.repeat(levels / 2)}${']}'.repeat(levels / 2)}`;
}
const deep = nested(6000);
const deepest = nested(200);

beforeAll(async () => {
  ({ clients } = fixture);
  await clients.call(
    clients.admin,
    clients.admin.putWorkflow,
    workflowRequest('one', [taskRequest('only')], { eventTriggers: ['deep'] }),
  );
  await clients.call(
    clients.admin,
    clients.admin.putWorkflow,
    workflowRequest('idle', [taskRequest('only', { action: 'idle:only' })]),
  );
  const layers = Array.from({ length: 16 }, (_, layer) =>
    Array.from({ length: 4 }, (__, place) =>
      taskRequest(`t${layer}-${place}`, {
        action: 'layers:any',
        parents: layer === 0 ? [] : Array.from({ length: 4 }, (___, parent) => `t${layer - 1}-${parent}`),
      }),
    ),
  );
  await clients.call(clients.admin, clients.admin.putWorkflow, workflowRequest('layers', layers.flat()));
  const client = await sql();
  tenantId = (await client.query<{ id: string }>('SELECT id FROM tenant')).rows[0]?.id ?? '';
  workflowId = (await client.query<{ id: string }>(`SELECT id FROM workflow WHERE name = 'one'`)).rows[0]?.id ?? '';
  await client.end();
});

async function sql(): Promise<Client> {
  const client = new Client({ connectionString: fixture.database.url });
  await client.connect();
  return client;
}

async function rest(method: string, path: string, body?: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`http://127.0.0.1:${fixture.engine.http.port}${path}`, {
    method,
    headers: { authorization: `Bearer ${fixture.engine.token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body }),
  });
  return { status: response.status, text: await response.text() };
}

async function trigger(name: string, input = '{}', additionalMetadata = '{}'): Promise<string> {
  return (
    await clients.call(clients.workflows, clients.workflows.triggerWorkflow, {
      name,
      input,
      additionalMetadata,
      desiredWorkerLabels: {},
    })
  ).workflowRunId;
}

describe('what is nested deeper than 200 levels', () => {
  const base = { readableId: 'only' };
  it.each<[string, (json: string) => Promise<unknown>]>([
    ['an input', (json) => trigger('idle', json)],
    ['metadata', (json) => trigger('idle', '{}', json)],
    [
      "an event's payload",
      (json) =>
        clients.call(clients.events, clients.events.push, {
          key: 'none',
          payload: json,
          eventTimestamp: new Date(),
        }),
    ],
    [
      "an event's metadata",
      (json) =>
        clients.call(clients.events, clients.events.push, {
          key: 'none',
          payload: '{}',
          eventTimestamp: new Date(),
          additionalMetadata: json,
        }),
    ],
    [
      "a cron's input",
      (json) =>
        clients.call(
          clients.admin,
          clients.admin.putWorkflow,
          workflowRequest('with-cron', [taskRequest(base.readableId)], {
            cronTriggers: ['0 0 1 1 *'],
            cronInput: json,
          }),
        ),
    ],
    [
      "a filter's payload",
      (json) =>
        clients.call(
          clients.admin,
          clients.admin.putWorkflow,
          workflowRequest('with-filter', [taskRequest(base.readableId)], {
            defaultFilters: [{ scope: 's', expression: 'true', payload: Buffer.from(json) }],
          }),
        ),
    ],
    [
      'an input schema',
      (json) =>
        clients.call(
          clients.admin,
          clients.admin.putWorkflow,
          workflowRequest('with-schema', [taskRequest(base.readableId)], { inputJsonSchema: Buffer.from(json) }),
        ),
    ],
    [
      "a scheduled run's input",
      (json) =>
        clients.call(clients.workflows, clients.workflows.scheduleWorkflow, {
          name: 'idle',
          schedules: [new Date(Date.now() + 86_400_000)],
          input: json,
        }),
    ],
    [
      "a log line's metadata",
      async (json) =>
        clients.call(clients.events, clients.events.putLog, {
          taskRunExternalId: await trigger('idle'),
          createdAt: new Date(),
          message: 'line',
          level: 'INFO',
          metadata: json,
          taskRetryCount: 0,
        }),
    ],
  ])('is refused over gRPC: %s', async (_, send) => {
    for (const json of [nested(202), deep]) {
      const refusal = await send(json).then(
        () => ({ code: Code.OK, details: '' }),
        (error: ServiceError) => error,
      );
      expect({ code: refusal.code, details: refusal.details }).toEqual({
        code: Code.INVALID_ARGUMENT,
        details: expect.stringContaining('nested deeper than 200 levels'),
      });
    }
    await send(deepest);
  });

  const stable = () => `/api/v1/stable/tenants/${tenantId}`;
  const plain = () => `/api/v1/tenants/${tenantId}`;
  it.each<[string, (json: string) => [string, string]]>([
    ['an input', (json) => [`${stable()}/workflow-runs/trigger`, `{"workflowName":"idle","input":${json}}`]],
    [
      'metadata',
      (json) => [
        `${stable()}/workflow-runs/trigger`,
        `{"workflowName":"idle","input":{},"additionalMetadata":${json}}`,
      ],
    ],
    ["an event's payload", (json) => [`${plain()}/events/bulk`, `{"events":[{"key":"none","data":${json}}]}`]],
    [
      "a cron's input",
      (json) => [
        `${plain()}/workflows/idle/crons`,
        `{"cronName":"n${json.length}","cronExpression":"0 0 1 1 *","input":${json},"additionalMetadata":{}}`,
      ],
    ],
    [
      "a scheduled run's input",
      (json) => [
        `${plain()}/workflows/idle/scheduled`,
        `{"triggerAt":"2999-01-01T00:00:00Z","input":${json},"additionalMetadata":{}}`,
      ],
    ],
    [
      "a filter's payload",
      (json) => [
        `${stable()}/filters`,
        `{"workflowId":"${workflowId}","scope":"s","expression":"true","payload":${json}}`,
      ],
    ],
    [
      "a webhook's payload",
      (json) => [
        `${stable()}/webhooks`,
        `{"name":"w${json.length}","sourceName":"GENERIC","eventKeyExpression":"'k'","authType":"BASIC","auth":{"username":"u","password":"p"},"staticPayload":${json}}`,
      ],
    ],
  ])('is refused over REST: %s', async (_, request) => {
    for (const json of [nested(202), deep]) {
      const [path, body] = request(json);
      const { status, text } = await rest('POST', path, body);
      expect({ status, text }).toEqual({
        status: 400,
        text: expect.stringMatching(/nested deeper than 2[01]0 levels/),
      });
    }
    const [path, body] = request(deepest);
    const { status, text } = await rest('POST', path, body);
    expect({ status, text: status === 200 ? '' : text }).toEqual({ status: 200, text: '' });
  });

  it("fails a task's attempt with the reason, and a failure is kept as its text", async () => {
    const answers = [deep, deepest];
    const worker = new ContractWorker(clients, () => 'hold');
    await worker.start(['wf:only']);
    const ids = [await trigger('one'), await trigger('one'), await trigger('one')];
    await expect.poll(() => worker.received.length).toBe(3);
    const { STEP_EVENT_TYPE_COMPLETED: done, STEP_EVENT_TYPE_FAILED: failed } = (
      await import('../../proto/gen/hatchet/contract/dispatcher.ts')
    ).StepActionEventType;
    const of = (id: string) =>
      worker.received.find((action) => action.taskRunExternalId === id) ?? expect.unreachable();
    await worker.report(of(ids[0] ?? ''), done, answers[0] ?? '');
    await worker.report(of(ids[1] ?? ''), done, answers[1] ?? '');
    await worker.report(of(ids[2] ?? ''), failed, deep);
    worker.hangUp();
    const [refused, taken, failure] = await Promise.all(
      ids.map((runId) => clients.call(clients.monitor, clients.monitor.getRun, { runId })),
    );
    expect(refused?.tasks[0]?.errorMessage).toContain("the task's output is nested deeper than 200 levels");
    expect(taken?.tasks[0]?.output).toBe(deepest);
    expect(failure?.tasks[0]?.errorMessage).toBe(deep);
    const list = await rest('GET', `${stable()}/workflow-runs?limit=100`);
    expect(list.status).toBe(200);
    for (const id of ids) expect(list.text).toContain(id);
  });
});

describe('what an older engine has stored', () => {
  it('stands in lists and answers as it is, however deep', async () => {
    const runId = await trigger('idle', '{"__proto__":{"a":1},"n":12345678901234567890}');
    const other = await trigger('idle');
    const client = await sql();
    await client.query('UPDATE run SET input = $2 WHERE id = $1', [other, deep]);
    await client.query(`INSERT INTO event (id, tenant_id, key, payload, metadata) VALUES ($1, $2, 'old', $3, '{}')`, [
      other,
      tenantId,
      deep,
    ]);
    await client.query(
      `INSERT INTO cron (id, tenant_id, workflow_id, name, expression, zone, catch_up, input, metadata, enabled, is_declared, next_us) SELECT $1, tenant_id, id, 'old', '0 0 1 1 *', 'UTC', 'none', $2, '{}', false, false, 4102444800000000 FROM workflow WHERE name = 'idle'`,
      [other, deep],
    );
    await client.query(
      `INSERT INTO schedule (id, tenant_id, workflow_id, due_us, input, metadata) SELECT $1, tenant_id, id, 4102444800000000, $2, '{}' FROM workflow WHERE name = 'idle'`,
      [other, deep],
    );
    await client.query(
      `INSERT INTO log_line (task_id, tenant_id, at, attempt, level, message, metadata) VALUES ($1, $2, now(), 0, 1, 'deep', $3), ($1, $2, now(), 0, 1, 'none', 'no JSON')`,
      [other, tenantId, deep],
    );
    await client.end();
    const stable = `/api/v1/stable/tenants/${tenantId}`;
    const plain = `/api/v1/tenants/${tenantId}`;
    const paths = [
      `${stable}/workflow-runs`,
      `${stable}/workflow-runs?only_tasks=true`,
      `/api/v1/stable/workflow-runs/${other}`,
      `/api/v1/stable/tasks/${other}`,
      `${plain}/workflow-runs/${other}/shape`,
      `${stable}/events?keys=old`,
      `${stable}/events/${other}`,
      `${plain}/workflows/crons`,
      `${plain}/workflows/crons/${other}`,
      `${plain}/workflows/scheduled`,
      `${plain}/workflows/scheduled/${other}`,
      `/api/v1/stable/tasks/${other}/logs`,
    ];
    for (const path of paths) {
      const { status, text } = await rest('GET', path);
      expect({ path, status, whole: text.includes(deep) }).toEqual({ path, status: 200, whole: true });
      JSON.parse(text);
    }
    expect((await rest('GET', `/api/v1/stable/tasks/${runId}`)).text).toContain(
      '"input":{"__proto__":{"a":1},"n":12345678901234567890}',
    );
    const { input } = await clients.call(clients.monitor, clients.monitor.getRun, {
      runId: other,
    });
    expect(input).toBe(deep);
  });
});

describe('an expression over what is nested deeper than the evaluator can follow', () => {
  it.each(['input == input', 'input.a.exists(each, each == input.a[0])'])(
    'fails, and the next one does not: %s',
    async (expression) => {
      const cel = new CelEvaluator();
      const of = (input: string) => cel.evaluate(tenantOf('tenant'), expression, new CelVariables({ input }));
      expect(await of(nested(100_000))).toEqual({ ok: false, message: expect.any(String) });
      expect(await of('{"a":[1]}')).toEqual({ ok: true, value: true });
      await cel.stop();
    },
  );
});

describe('a DAG of 16 layers of 4 tasks, each after all of the layer before', () => {
  it('shows its timings and its shape', async () => {
    const runId = await trigger('layers');
    const statusOf = async (): Promise<string> =>
      (await rest('GET', `/api/v1/stable/workflow-runs/${runId}/status`)).text;
    // All of its tasks exist once it has run.
    const worker = new ContractWorker(clients, () => ({ output: {} }));
    await worker.start(['layers:any']);
    await expect.poll(statusOf).toContain('COMPLETED');
    const timings: { rows: { depth: number; taskDisplayName: string }[] } = JSON.parse(
      (await rest('GET', `/api/v1/stable/workflow-runs/${runId}/task-timings`)).text,
    );
    expect(timings.rows.map(({ depth, taskDisplayName }) => taskDisplayName.startsWith(`t${depth}-`))).toEqual(
      Array.from({ length: 64 }, () => true),
    );
    const { shape }: { shape: { taskName: string; childrenStepIds: string[] }[] } = JSON.parse(
      (await rest('GET', `/api/v1/stable/workflow-runs/${runId}`)).text,
    );
    expect(shape.map((task) => task.childrenStepIds.length)).toEqual([
      ...Array.from({ length: 60 }, () => 4),
      0,
      0,
      0,
      0,
    ]);
    const graph: { jobRuns: { job: { steps: { parents: string[] }[] } }[] } = JSON.parse(
      (await rest('GET', `/api/v1/tenants/${tenantId}/workflow-runs/${runId}/shape`)).text,
    );
    expect(graph.jobRuns[0]?.job.steps.map((step) => step.parents.length)).toEqual([
      0,
      0,
      0,
      0,
      ...Array.from({ length: 60 }, () => 4),
    ]);
  });
});
