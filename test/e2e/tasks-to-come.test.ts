import { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/index.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RunStatus } from '../../proto/gen/hatchet/contract/v1/workflows.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';
import { gate } from '../helpers/gate.ts';

const fixture = engineFixture('tasks-to-come');
const noTask = '00000000-0000-0000-0000-000000000000';
/** The first task of a run waits for the newest one. */
const gates: ReturnType<typeof gate>[] = [];
let hatchet: HatchetClient;
let worker: Awaited<ReturnType<HatchetClient['worker']>>;

beforeAll(async () => {
  process.env['HATCHET_CLIENT_LOG_LEVEL'] = 'OFF';
  hatchet = HatchetClient.init({ token: fixture.engine.token, tls_config: { tls_strategy: 'none' } });
  const dag = hatchet.workflow({ name: 'two-steps' });
  const first = dag.task({
    name: 'first',
    fn: async () => {
      const made = gate();
      gates.push(made);
      await made.opened;
      return {};
    },
  });
  dag.task({ name: 'second', parents: [first], fn: () => ({}) });
  dag.onFailure({ name: 'after', fn: () => ({}) });
  worker = await hatchet.worker('to-come', { workflows: [dag], handleKill: false });
  void worker.start();
  await worker.waitUntilReady();
});

afterAll(() => worker.stop());

const grpcDetails = (externalId: string) =>
  fixture.clients.call(fixture.clients.admin, fixture.clients.admin.getRunDetails, { externalId });

describe('tasks of a run that Hatchet would not have made yet', () => {
  test('are told of by none of its calls, until they may begin, are skipped or are cancelled', async () => {
    const ref = await hatchet.runNoWait('two-steps', {}, {});
    const id = await ref.getWorkflowRunId();
    await expect.poll(() => gates.length).toBe(1);

    const running = await hatchet.runs.get(id);
    const [firstId] = running.tasks.map((task) => task.taskExternalId);
    expect(running.tasks.map((task) => task.actionId)).toEqual(['two-steps:first']);
    expect(running.taskEvents.map((event) => event.taskId)).toEqual(running.taskEvents.map(() => firstId));
    // The shape is the workflow's, whatever has been made.
    expect(running.shape.map((item) => [item.taskName, item.taskExternalId])).toEqual([
      ['first', firstId],
      ['second', noTask],
      [expect.any(String), noTask],
    ]);
    expect((await hatchet.api.v1WorkflowRunGetTimings(id)).data.rows.map((row) => row.taskExternalId)).toEqual([
      firstId,
    ]);
    expect(Object.keys((await grpcDetails(id)).taskRuns)).toEqual(['first']);
    const since = { since: new Date(0), onlyTasks: true } as const;
    expect((await hatchet.runs.list(since)).rows.map((row) => row.taskExternalId)).toEqual([firstId]);
    const [row] = (await hatchet.runs.list({ since: new Date(0), onlyTasks: false })).rows;
    expect(row?.children?.map((child) => child.taskExternalId)).toEqual([firstId]);
    // Our own monitoring service tells of all: what waits is why a run goes on.
    const { clients } = fixture;
    expect((await clients.call(clients.monitor, clients.monitor.getRun, { runId: id })).tasks).toHaveLength(3);

    gates[0]?.open();
    await ref.output;
    const ended = await hatchet.runs.get(id);
    expect(ended.tasks.map((task) => task.status)).toEqual(['COMPLETED', 'COMPLETED', 'COMPLETED']);
    expect(ended.shape.map((item) => item.taskExternalId)).toEqual(ended.tasks.map((task) => task.taskExternalId));
    expect(Object.keys((await grpcDetails(id)).taskRuns)).toHaveLength(3);
    expect((await hatchet.runs.list(since)).rows).toHaveLength(3);

    // A replay opens what was there.
    await hatchet.runs.replay({ ids: [id] });
    await expect.poll(() => gates.length).toBe(2);
    expect((await hatchet.runs.get(id)).tasks.map((task) => task.status)).toEqual(['RUNNING', 'QUEUED', 'QUEUED']);
    gates[1]?.open();
    await expect.poll(async () => (await grpcDetails(id)).status).toBe(RunStatus.COMPLETED);
  });
});
