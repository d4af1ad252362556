import { rmSync } from 'node:fs';
import { Client } from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import type { RunningEngine } from '../../engine/base/engine-options.ts';
import { startEngine } from '../../engine/index.ts';
import { RunStatus } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { ContractWorker, taskRequest, workflowRequest } from '../helpers/contract-worker.ts';
import { GrpcClients } from '../helpers/grpc-client.ts';
import { makeTempFolder } from '../helpers/temp-folder.ts';
import { createTestDatabase } from '../helpers/test-database.ts';

/** As many connections as the reads of people have, and one more. */
const slowReads = 9;
const tasks = 5;

const undo: (() => unknown)[] = [];

afterEach(async () => {
  for (const each of undo.splice(0).reverse()) await each();
});

describe('while all reads of people are slow', () => {
  it('tasks whose input has to be read start all the same, in their first attempt', async () => {
    const folder = makeTempFolder('dispatch-reads');
    const database = await createTestDatabase();
    undo.push(
      () => rmSync(folder, { recursive: true, force: true }),
      () => database.drop(),
    );
    const boot = (): Promise<RunningEngine> =>
      startEngine({ databaseUrl: database.url, dataDir: folder, grpcPort: 0, httpPort: 0, logLevel: 'silent' });
    const trigger = async (clients: GrpcClients): Promise<string> =>
      (
        await clients.call(clients.admin, clients.admin.triggerWorkflowRun, {
          workflowName: 'one',
          input: Buffer.from('{}'),
          additionalMetadata: Buffer.from('{}'),
          desiredWorkerLabels: {},
        })
      ).externalId;

    const first = await boot();
    const before = new GrpcClients(first.grpc, first.token);
    await before.call(before.admin, before.admin.putWorkflow, workflowRequest('one', [taskRequest('only')]));
    const runIds = await Promise.all(Array.from({ length: tasks }, () => trigger(before)));
    before.close();
    await first.stop();

    // Another process: none of the inputs is in its memory.
    const engine = await boot();
    const clients = new GrpcClients(engine.grpc, engine.token);
    undo.push(
      () => engine.stop(),
      () => clients.close(),
    );
    const locker = new Client({ connectionString: database.url });
    await locker.connect();
    await locker.query('BEGIN');
    await locker.query('LOCK TABLE log_line IN ACCESS EXCLUSIVE MODE');
    undo.push(() => locker.end());
    const slow = Array.from({ length: slowReads }, () =>
      clients
        .call(clients.monitor, clients.monitor.listLogs, { id: runIds[0] ?? '', levels: [] })
        .catch(() => undefined),
    );
    const watcher = new Client({ connectionString: database.url });
    await watcher.connect();
    undo.push(() => watcher.end());
    const blocked = async (): Promise<number> =>
      (
        await watcher.query(
          `SELECT FROM pg_stat_activity WHERE application_name = 'hatchet reads' AND wait_event_type = 'Lock'`,
        )
      ).rowCount ?? 0;
    await expect.poll(blocked, { interval: 10, timeout: 10_000 }).toBe(slowReads - 1);

    const worker = new ContractWorker(clients, () => ({ output: {} }));
    await worker.start(['wf:only']);
    await expect.poll(() => worker.received.length, { interval: 10, timeout: 20_000 }).toBe(tasks);
    expect(worker.received.map(({ retryCount }) => retryCount)).toEqual(runIds.map(() => 0));

    await locker.query('ROLLBACK');
    await Promise.all(slow);
    for (const runId of runIds)
      await expect
        .poll(async () => (await clients.call(clients.monitor, clients.monitor.getRun, { runId })).run?.status)
        .toBe(RunStatus.RUN_STATUS_COMPLETED);
    worker.hangUp();
  });
});
