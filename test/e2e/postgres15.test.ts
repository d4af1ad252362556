import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningEngine } from '../../engine/index.ts';
import { createLog } from '../../engine/base/log.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../engine/postgres/embedded/embedded-postgres.ts';
import { RunStatus } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { ContractWorker, taskRequest, workflowRequest } from '../helpers/contract-worker.ts';
import { GrpcClients } from '../helpers/grpc-client.ts';
import { makeTempFolder } from '../helpers/temp-folder.ts';
import { startInTopology } from '../helpers/topology.ts';

const folder = makeTempFolder('postgres-15');
let server: EmbeddedPostgres;
let engine: RunningEngine;
let clients: GrpcClients;

beforeAll(async () => {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres-15'));
  const binaries = join(
    dirname(dirname(require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`))),
    'native',
  );
  server = await startEmbeddedPostgres({ dataDir: join(folder, 'server'), log: createLog('error'), binaries });
  engine = await startInTopology({
    databaseUrl: server.url,
    dataDir: join(folder, 'engine'),
    grpcPort: 0,
    httpPort: 0,
    logLevel: 'silent',
  });
  clients = new GrpcClients(engine.grpc, engine.token);
});

afterAll(async () => {
  clients.close();
  await engine.stop();
  const client = new Client({ connectionString: server.url });
  await client.connect();
  const { rows } = await client.query<{ who: string }>(
    `SELECT application_name AS who FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name LIKE 'hatchet lane%'`,
  );
  await client.end();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
  expect(rows).toEqual([]);
});

async function trigger(workflowName: string): Promise<string> {
  return (
    await clients.call(clients.admin, clients.admin.triggerWorkflowRun, {
      workflowName,
      input: Buffer.from('{"n":1}'),
      additionalMetadata: Buffer.from('{"team":"blue"}'),
      desiredWorkerLabels: {},
    })
  ).externalId;
}

async function statusOf(runId: string): Promise<RunStatus | undefined> {
  return (await clients.call(clients.monitor, clients.monitor.getRun, { runId })).run?.status;
}

describe('an external Postgres 15', () => {
  it('serves a task, a DAG, a cancellation and every read', async () => {
    expect(server.version).toMatch(/^15\./);
    const { admin, monitor } = clients;
    await clients.call(admin, admin.putWorkflow, workflowRequest('one', [taskRequest('only', { retries: 1 })]));
    await clients.call(
      admin,
      admin.putWorkflow,
      workflowRequest('dag', [taskRequest('a'), taskRequest('b', { parents: ['a'] })]),
    );
    await clients.call(admin, admin.putWorkflow, workflowRequest('held', [taskRequest('held')]));
    const worker = new ContractWorker(clients, (action) => {
      if (action.taskName === 'held') return 'hold';
      return action.taskName === 'only' && action.retryCount === 0
        ? { error: 'once' }
        : { output: { from: action.taskName } };
    });
    await worker.start(['wf:only', 'wf:a', 'wf:b', 'wf:held']);
    const [one, dag, held] = await Promise.all([trigger('one'), trigger('dag'), trigger('held')]);
    await expect.poll(() => statusOf(one)).toBe(RunStatus.RUN_STATUS_COMPLETED);
    await expect.poll(() => statusOf(dag)).toBe(RunStatus.RUN_STATUS_COMPLETED);
    await expect.poll(() => statusOf(held)).toBe(RunStatus.RUN_STATUS_RUNNING);
    await clients.call(admin, admin.cancelTasks, {
      externalIds: [],
      filter: { statuses: ['RUNNING'], since: new Date(0), workflowIds: [], additionalMetadata: ['team:blue'] },
    });
    expect(await statusOf(held)).toBe(RunStatus.RUN_STATUS_CANCELLED);

    const { rows } = await clients.call(monitor, monitor.listRuns, {
      statuses: [RunStatus.RUN_STATUS_COMPLETED],
      workflowNames: [],
      metadata: { team: 'blue' },
    });
    expect(rows.map((row) => row.runId).sort()).toEqual([one, dag].sort());
    const { events } = await clients.call(monitor, monitor.listRunEvents, { runId: one });
    expect(events.map((event) => event.type)).toEqual(
      expect.arrayContaining(['FAILED', 'RETRYING', 'FINISHED', 'RUN_FINISHED']),
    );
    expect((await clients.call(monitor, monitor.listQueues, {})).rows.map((row) => row.queued)).toEqual([
      0n,
      0n,
      0n,
      0n,
    ]);
    worker.hangUp();
  });
});
