import { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/index.js';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { engineProcessFixture } from '../helpers/engine-fixture.ts';
import { activeWorkers } from '../helpers/listed-workers.ts';

const fixture = engineProcessFixture('workflow-deletion');
const workflow = 'lower';
let hatchet: HatchetClient;
let workflowId: string;

beforeAll(async () => {
  Object.assign(process.env, fixture.env);
  process.env['HATCHET_CLIENT_LOG_LEVEL'] = 'OFF';
  hatchet = HatchetClient.init();
});

const found = async (): Promise<string[]> =>
  ((await hatchet.api.workflowList(hatchet.tenantId, { name: workflow })).data.rows ?? []).map(
    ({ metadata }) => metadata.id,
  );

async function startWorker(): Promise<{ stop(): Promise<void> }> {
  const program = fixture.spawn('published-sdk/worker.mjs');
  await vi.waitFor(async () => expect(await activeWorkers(fixture.clients)).toBe(1), { timeout: 30_000 });
  return {
    async stop() {
      const gone = new Promise((resolve) => program.once('exit', resolve));
      program.kill('SIGTERM');
      await gone;
    },
  };
}

const statusOf = async (id: string): Promise<string> => (await hatchet.api.v1WorkflowRunGetStatus(id)).data;
const trigger = async (): Promise<string> =>
  (await hatchet.runNoWait(workflow, { message: 'A' }, {})).getWorkflowRunId();

/** Without the retries that the SDK makes of its own calls. */
const triggered = () =>
  hatchet.api.v1WorkflowRunCreate(hatchet.tenantId, { workflowName: workflow, input: { message: 'A' } });

describe('a workflow that is deleted, by the published SDK', () => {
  test('is gone from the lists, its timers with it, and what is queued of it is cancelled; its runs stay', async () => {
    const worker = await startWorker();
    [workflowId = ''] = await found();
    const done = await trigger();
    await expect.poll(() => statusOf(done), { timeout: 10_000 }).toBe('COMPLETED');
    await worker.stop();
    const queued = await trigger();
    const additionalMetadata = { test: 'deleted' };
    const input = { message: 'A' };
    await hatchet.crons.create(workflow, { name: 'c', expression: '* * * * * *', input, additionalMetadata });
    const triggerAt = new Date(Date.now() + 3_600_000);
    await hatchet.schedules.create(workflow, { triggerAt, input, additionalMetadata });

    expect((await hatchet.api.workflowDelete(workflowId)).status).toBe(204);
    expect(await found()).toEqual([]);
    expect([await statusOf(done), await statusOf(queued)]).toEqual(['COMPLETED', 'CANCELLED']);
    expect((await hatchet.crons.list({})).rows).toEqual([]);
    expect((await hatchet.schedules.list({})).rows).toEqual([]);
    for (const call of [
      triggered,
      () => hatchet.api.workflowGet(workflowId),
      () => hatchet.api.workflowDelete(workflowId),
      () => hatchet.api.workflowUpdate(workflowId, { pause: { action: 'unpause' } }),
      () => hatchet.api.workflowGetMetrics(workflowId),
    ])
      await expect(call()).rejects.toMatchObject({ response: { status: 404 } });
    const ticks = (await hatchet.runs.list({ since: new Date(0), onlyTasks: false, additionalMetadata })).rows.length;
    expect(ticks).toBeLessThanOrEqual(2);
  });

  test('stays deleted for the next engine, and is there again, with its id, once a worker registers it', async () => {
    await fixture.engine.end('SIGKILL');
    await fixture.startAgain();
    await expect.poll(found, { timeout: 10_000 }).toEqual([]);
    await expect(triggered()).rejects.toMatchObject({ response: { status: 404 } });
    await startWorker();
    expect(await found()).toEqual([workflowId]);
    const { data } = await hatchet.api.workflowGet(workflowId);
    expect(data.versions?.map(({ order }) => order)).toEqual([2]);
    const runId = await trigger();
    await expect.poll(() => statusOf(runId), { timeout: 10_000 }).toBe('COMPLETED');
    await fixture.engine.end('SIGKILL');
    await fixture.startAgain();
    await expect.poll(found, { timeout: 10_000 }).toEqual([workflowId]);
  });
});
