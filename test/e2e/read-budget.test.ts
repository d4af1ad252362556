import { connect, type Socket } from 'node:net';
import { status as Code } from '@grpc/grpc-js';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ExportRunsResponse } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { taskRequest, workflowRequest } from '../helpers/contract-worker.ts';
import { engineProcessFixture } from '../helpers/engine-fixture.ts';
import type { GrpcClients } from '../helpers/grpc-client.ts';
import { runCli } from '../helpers/run-cli.ts';

const runs = 40;
/** Four of them fit into a page. */
const inputBytes = 4 * 1024 * 1024 - 1000;
const outputBytes = 4 * 1024 * 1024 - 1000;
const dagTasks = 20;
/** With so small a heap, a single list without a budget ends the engine. */
const fixture = engineProcessFixture(
  'read-budget',
  {},
  { postgres: 'shared', nodeArguments: ['--max-old-space-size=200'] },
);
let clients: GrpcClients;
let tenantId: string;
let large: string[];
let dag: { runId: string; taskIds: string[] };

interface Row {
  metadata: { id: string };
  input: { x?: string };
  output: Record<string, unknown>;
  leftOut?: Record<string, number>;
}

beforeAll(async () => {
  ({ clients } = fixture);
  await clients.call(clients.admin, clients.admin.putWorkflow, workflowRequest('one', [taskRequest('only')]));
  await clients.call(
    clients.admin,
    clients.admin.putWorkflow,
    workflowRequest(
      'dag',
      Array.from({ length: dagTasks }, (_, index) => taskRequest(`t${index}`)),
    ),
  );
  const item = { name: 'one', input: '{}', additionalMetadata: '{"small":"yes"}', desiredWorkerLabels: {} };
  large = (
    await clients.call(clients.workflows, clients.workflows.bulkTriggerWorkflow, {
      workflows: Array.from({ length: runs }, () => item),
    })
  ).workflowRunIds;
  const runId = (await clients.call(clients.workflows, clients.workflows.triggerWorkflow, { ...item, name: 'dag' }))
    .workflowRunId;
  const { tasks } = await clients.call(clients.monitor, clients.monitor.getRun, { runId });
  dag = { runId, taskIds: tasks.map((task) => task.taskId) };
  const { client: sql } = fixture.database;
  tenantId = (await sql.query<{ id: string }>('SELECT id FROM tenant')).rows[0]?.id ?? '';
  await sql.query(`UPDATE run SET input = '{"x":"' || repeat('x', $2::integer - 8) || '"}' WHERE id = ANY ($1)`, [
    large,
    inputBytes,
  ]);
  await sql.query('DELETE FROM live WHERE run_id = $1', [runId]);
  await sql.query(
    `INSERT INTO result (task_id, generation, status, attempt, seq, output) SELECT id, 1, 3, 0, 1, '{"x":"' || repeat('x', $2::integer - 8) || '"}' FROM unnest($1::uuid[]) AS u (id)`,
    [dag.taskIds, outputBytes],
  );
  await sql.query('INSERT INTO run_end (tenant_id, status, run_id, generation, seq) VALUES ($1, 3, $2, 1, 2)', [
    tenantId,
    runId,
  ]);
  await sql.query(
    `INSERT INTO event (id, tenant_id, key, payload, metadata) SELECT id, $2, 'k', '{"x":"' || repeat('x', $3::integer - 8) || '"}', '{}' FROM unnest($1::uuid[]) AS u (id)`,
    [large, tenantId, inputBytes],
  );
  await sql.query(
    `INSERT INTO log_line (task_id, tenant_id, at, attempt, level, message, metadata) SELECT $1, $2, now(), 0, 1, repeat('m', 9000), '{"x":"' || repeat('x', 60000) || '"}' FROM generate_series(1, 1000)`,
    [large[0], tenantId],
  );
});

async function read<Body>(path: string): Promise<Body> {
  const response = await fetch(`http://127.0.0.1:${fixture.engine.ready.http.port}${path}`, {
    headers: { authorization: `Bearer ${fixture.token}` },
  });
  const text = await response.text();
  expect([response.status, response.status === 200 ? '' : text]).toEqual([200, '']);
  const body: Body = JSON.parse(text);
  return body;
}

const list = (): string => `/api/v1/stable/tenants/${tenantId}/workflow-runs?limit=${runs + 1}`;

/** Asks, and never reads the answer. */
function deaf(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(fixture.engine.ready.http.port, '127.0.0.1', () => {
      socket.pause();
      socket.write(`GET ${path} HTTP/1.1\r\nhost: engine\r\nauthorization: Bearer ${fixture.token}\r\n\r\n`, () =>
        resolve(socket),
      );
    });
    socket.on('error', reject);
  });
}

describe('lists of rows with payloads of 4 MiB, on a heap of 200 MB', () => {
  it('are answered whole at once, with payloads up to 16 MiB and the others marked', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => read<{ rows: Row[] }>(list())));
    for (const { rows } of answers) {
      const ones = rows.filter((row) => row.metadata.id !== dag.runId);
      expect(ones.map((row) => row.metadata.id).sort()).toEqual([...large].sort());
      expect(ones.filter((row) => row.input.x?.length === inputBytes - 8)).toHaveLength(4);
      expect(
        ones.filter((row) => row.leftOut?.['input'] === inputBytes && Object.keys(row.input).length === 0),
      ).toHaveLength(runs - 4);
    }
    const events = await read<{ rows: { payload: { x?: string }; leftOut?: Record<string, number> }[] }>(
      `/api/v1/stable/tenants/${tenantId}/events?limit=100`,
    );
    expect(events.rows.map((row) => row.payload.x?.length ?? row.leftOut?.['payload'])).toEqual([
      ...Array.from({ length: 4 }, () => inputBytes - 8),
      ...Array.from({ length: runs - 4 }, () => inputBytes),
    ]);
    expect(fixture.engine.child.exitCode).toBeNull();
  });

  it('leave a single run its input, and are not asked for payloads that nobody wants', async () => {
    const { input, leftOut } = await read<Row>(`/api/v1/stable/tasks/${large[7]}`);
    expect({ length: input.x?.length, leftOut }).toEqual({ length: inputBytes - 8, leftOut: undefined });
    const { rows } = await read<{ rows: Row[] }>(`${list()}&include_payloads=false`);
    expect(rows).toHaveLength(runs + 1);
    expect(rows.filter((row) => row.leftOut !== undefined)).toEqual([]);
  });

  it('are exported run by run, each whole', async () => {
    const sizes: number[] = [];
    const stream = clients.monitor.exportRuns(
      { filter: { statuses: [], workflowNames: ['one'], metadata: {} } },
      clients.metadata(),
    );
    for await (const message of stream) {
      const { input, inputLeftOutBytes }: ExportRunsResponse = message;
      sizes.push(input.length);
      expect(inputLeftOutBytes).toBeUndefined();
    }
    expect(sizes).toEqual(Array.from({ length: runs }, () => inputBytes));
  });

  it('do not wait for clients that have gone without reading', async () => {
    const sockets = await Promise.all(Array.from({ length: 6 }, () => deaf(list())));
    await read(`/api/v1/stable/tenants/${tenantId}/workflow-runs/external-ids`);
    for (const socket of sockets) socket.destroy();
    expect((await read<{ rows: Row[] }>(list())).rows).toHaveLength(runs + 1);
  });

  it('of runs with many tasks show 20,000 of them, several at once, and more in smaller pages', async () => {
    const steps = 1000;
    await clients.call(
      clients.admin,
      clients.admin.putWorkflow,
      workflowRequest(
        'wide',
        Array.from({ length: steps }, (_, index) => taskRequest(`t${index}`)),
      ),
    );
    const item = { name: 'wide', input: '{}', desiredWorkerLabels: {} };
    const many = async (count: number): Promise<unknown> =>
      clients.call(clients.workflows, clients.workflows.bulkTriggerWorkflow, {
        workflows: Array.from({ length: count }, () => item),
      });
    await many(10);
    await many(10);
    const path = `/api/v1/stable/tenants/${tenantId}/workflow-runs`;
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => read<{ rows: { children: unknown[] }[] }>(`${path}?limit=20`)),
    );
    for (const { rows } of answers)
      expect(rows.map((row) => row.children.length)).toEqual(Array.from({ length: 20 }, () => steps));
    await many(1);
    const answer = await fetch(`http://127.0.0.1:${fixture.engine.ready.http.port}${path}?limit=50`, {
      headers: { authorization: `Bearer ${fixture.token}` },
    });
    expect([answer.status, await answer.text()]).toEqual([413, expect.stringContaining('by `limit`')]);
    expect(fixture.engine.child.exitCode).toBeNull();
  });

  it('of log lines end before they are larger than 16 MiB, and go on behind', async () => {
    let after: string | undefined;
    const pages: number[] = [];
    do {
      const { lines, next } = await clients.call(clients.monitor, clients.monitor.listLogs, {
        id: large[0] ?? '',
        after,
        levels: [],
        limit: 1000,
      });
      pages.push(lines.length);
      after = next;
    } while (after !== undefined);
    expect(Math.max(...pages) * 69_000).toBeLessThan(17 * 1024 * 1024);
    expect(pages.reduce((sum, page) => sum + page, 0)).toBe(1000);
    const rest = await read<{ rows: unknown[]; pagination: { num_pages: number } }>(
      `/api/v1/stable/tasks/${large[0]}/logs?limit=1000`,
    );
    expect({ rows: rest.rows.length, pages: rest.pagination.num_pages }).toEqual({ rows: pages[0], pages: 2 });
  });
});

describe('a run whose outputs are more than an answer holds', () => {
  it('shows what fits, marks the rest, and each task alone', async () => {
    const { run, tasks } = await read<{ run: Row; tasks: Row[] }>(`/api/v1/stable/workflow-runs/${dag.runId}`);
    const shown = tasks.filter((task) => task.leftOut === undefined);
    expect(shown.length).toBe(14);
    expect(Object.keys(run.output)).toHaveLength(14);
    expect(run.leftOut).toEqual({ output: (dagTasks - 14) * outputBytes });
    expect(tasks.filter((task) => task.leftOut?.['output'] === outputBytes)).toHaveLength(dagTasks - 14);
    const last = await read<Row>(`/api/v1/stable/tasks/${dag.taskIds.at(-1)}`);
    expect({ output: JSON.stringify(last.output).length, leftOut: last.leftOut }).toEqual({
      output: outputBytes,
      leftOut: undefined,
    });
  });

  it('is told so by the command, which shows each task alone', async () => {
    const { env } = fixture;
    const last = dag.taskIds.at(-1) ?? '';
    const all = await runCli(['runs', 'get', dag.runId, '-o', 'text'], { cwd: fixture.folder, env });
    expect(all.stdout.split('\n').filter((line) => line.includes('is left out: 4.0 MiB')).length).toBe(dagTasks - 14);
    const one = await runCli(['runs', 'get', last, '-o', 'json'], { cwd: fixture.folder, env });
    const { tasks }: { tasks: { taskId: string; output: { x?: string } | null }[] } = JSON.parse(one.stdout);
    expect(tasks.find((task) => task.taskId === last)?.output?.x).toHaveLength(outputBytes - 8);
  });

  it('is the same over gRPC; where results cannot be marked, they are refused', async () => {
    const detail = await clients.call(clients.monitor, clients.monitor.getRun, { runId: dag.runId });
    expect(detail.tasks.map((task) => task.output?.length ?? task.outputLeftOutBytes)).toEqual(
      Array.from({ length: dagTasks }, () => outputBytes),
    );
    expect(detail.tasks.filter((task) => task.output === undefined)).toHaveLength(dagTasks - 14);
    const last = dag.taskIds.at(-1) ?? '';
    const one = await clients.call(clients.monitor, clients.monitor.getRun, { runId: dag.runId, onlyTask: last });
    expect(one.tasks.find((task) => task.taskId === last)?.output).toHaveLength(outputBytes);
    await expect(
      clients.call(clients.admin, clients.admin.getRunDetails, { externalId: dag.runId }),
    ).rejects.toMatchObject({
      code: Code.RESOURCE_EXHAUSTED,
      details: expect.stringContaining('/api/v1/stable/tasks/'),
    });
  });
});
