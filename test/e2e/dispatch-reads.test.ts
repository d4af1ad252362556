import { describe, expect, it } from 'vitest';
import { RunStatus } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { ContractWorker, taskRequest, workflowRequest } from '../helpers/contract-worker.ts';
import { engineForTest } from '../helpers/engine-fixture.ts';

/** As many connections as the reads of people have, and one more. */
const slowReads = 9;
const tasks = 5;

describe('while all reads of people are slow', () => {
  it('tasks whose input has to be read start all the same, in their first attempt', async () => {
    const fixture = await engineForTest('dispatch-reads');
    const { clients, database } = fixture;
    const trigger = async (): Promise<string> =>
      (
        await clients.call(clients.admin, clients.admin.triggerWorkflowRun, {
          workflowName: 'one',
          input: Buffer.from('{}'),
          additionalMetadata: Buffer.from('{}'),
          desiredWorkerLabels: {},
        })
      ).externalId;

    await clients.call(clients.admin, clients.admin.putWorkflow, workflowRequest('one', [taskRequest('only')]));
    const runIds = await Promise.all(Array.from({ length: tasks }, trigger));

    // Another engine: none of the inputs is in its memory.
    await fixture.engine.stop();
    await fixture.startAgain();
    const { client: locker } = database;
    await locker.query('BEGIN');
    await locker.query('LOCK TABLE log_line IN ACCESS EXCLUSIVE MODE');
    const slow = Array.from({ length: slowReads }, () =>
      clients
        .call(clients.monitor, clients.monitor.listLogs, { id: runIds[0] ?? '', levels: [] })
        .catch(() => undefined),
    );
    const blocked = async (): Promise<number> =>
      (
        await database.pool.query(
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
