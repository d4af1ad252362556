import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { status, type ClientDuplexStream } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DurableTaskRequest, DurableTaskResponse } from '../../proto/gen/hatchet/contract/v1/dispatcher.ts';
import { ContractWorker, taskRequest, workflowRequest } from '../helpers/contract-worker.ts';
import { databaseFixture } from '../helpers/database-fixture.ts';
import { ended, type EngineChild } from '../helpers/engine-process.ts';
import { GrpcClients } from '../helpers/grpc-client.ts';
import { makeTempFolder } from '../helpers/temp-folder.ts';
import { spawnInTopology } from '../helpers/topology.ts';

const database = databaseFixture();
const folder = makeTempFolder('slow-recovery');
let engine: EngineChild | undefined;

beforeAll(() => writeFileSync(join(folder, 'secret.key'), randomBytes(32).toString('base64')));

afterAll(async () => {
  await engine?.end('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function start(ports: { grpcPort: number; httpPort: number }): Promise<EngineChild> {
  return spawnInTopology({
    dataDir: join(folder, 'data'),
    databaseUrl: database.url,
    secretKeyFile: join(folder, 'secret.key'),
    logLevel: 'warn',
    ...ports,
  });
}

/** The status of a heartbeat that is waited for no longer than half a second. */
function heartbeat(clients: GrpcClients, workerId: string): Promise<status> {
  return new Promise((resolve) =>
    clients.dispatcher.heartbeat(
      { workerId, heartbeatAt: new Date() },
      clients.metadata(),
      { deadline: Date.now() + 500 },
      (error) => resolve(error?.code ?? status.OK),
    ),
  );
}

function durableStream(
  clients: GrpcClients,
  workerId: string,
): ClientDuplexStream<DurableTaskRequest, DurableTaskResponse> {
  const stream = clients.durable.durableTask(clients.metadata());
  stream.write({ message: { $case: 'registerWorker', value: { workerId } } });
  return stream;
}

it('workers that come while their shard is recovered wait for it: they are not told that they are unknown', async () => {
  const first = (engine = await start({ grpcPort: 0, httpPort: 0 }));
  const { grpc, http, token } = first.ready;
  const clients = new GrpcClients(grpc, token);
  await clients.call(clients.admin, clients.admin.putWorkflow, workflowRequest('wf', [taskRequest('one')]));
  let isStarted = false;
  const worker = new ContractWorker(clients, () => {
    isStarted = true;
    return 'hold';
  });
  await worker.start(['wf:one']);
  const run = await clients.call(clients.admin, clients.admin.triggerWorkflowRun, {
    workflowName: 'wf',
    input: Buffer.from('{}'),
    additionalMetadata: Buffer.from(''),
    desiredWorkerLabels: {},
  });
  await expect.poll(() => isStarted).toBe(true);
  void first.end('SIGKILL');
  await ended(first.child);

  await database.client.query('BEGIN');
  await database.client.query('LOCK TABLE live IN ACCESS EXCLUSIVE MODE');
  const coming = start({ grpcPort: grpc.port, httpPort: http.port });
  await expect.poll(() => heartbeat(clients, worker.workerId)).toBe(status.OK);
  const failures: unknown[] = [];
  const actions = clients.dispatcher.listenV2({ workerId: worker.workerId }, clients.metadata());
  const again: unknown[] = [];
  actions.on('data', (action) => again.push(action));
  const durable = durableStream(clients, worker.workerId);
  const words: DurableTaskResponse[] = [];
  durable.on('data', (word: DurableTaskResponse) => words.push(word));
  for (const stream of [actions, durable]) stream.on('error', (error) => failures.push(error));
  expect(await heartbeat(clients, worker.workerId)).toBe(status.OK);
  expect(failures).toEqual([]);
  await database.client.query('ROLLBACK');
  engine = await coming;
  await expect.poll(() => words.map(({ message }) => message?.$case)).toEqual(['registerWorker']);
  expect(await heartbeat(clients, worker.workerId)).toBe(status.OK);
  expect(failures).toEqual([]);
  // Still its task: it reports the end, and is sent nothing a second time.
  expect(again).toEqual([]);
  expect(run.externalId).toBe(worker.received[0]?.workflowRunId);
  for (const stream of [actions, durable]) stream.cancel();
});
