import { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/index.js';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { engineProcessFixture } from '../helpers/engine-fixture.ts';
import { activeWorkers } from '../helpers/listed-workers.ts';

const fixture = engineProcessFixture('workflow-pauses');
const workflow = 'lower';
let hatchet: HatchetClient;
let workflowId: string;

beforeAll(async () => {
  Object.assign(process.env, fixture.env);
  process.env['HATCHET_CLIENT_LOG_LEVEL'] = 'OFF';
  fixture.spawn('published-sdk/worker.mjs');
  hatchet = HatchetClient.init();
  await vi.waitFor(async () => expect(await activeWorkers(fixture.clients)).toBe(1), { timeout: 30_000 });
  const { data } = await hatchet.api.workflowList(hatchet.tenantId, { name: workflow });
  workflowId = data.rows?.[0]?.metadata.id ?? '';
});

const pause = (crons: string, schedules: string, ttl: string) =>
  hatchet.api.workflowUpdate(
    workflowId,
    Object({
      pause: {
        action: 'pause',
        pausedWorkflowCronRunQueueBehavior: crons,
        pausedWorkflowScheduledRunQueueBehavior: schedules,
        pausedWorkflowQueueTTL: ttl,
      },
    }),
  );
const unpause = () => hatchet.api.workflowUpdate(workflowId, { pause: { action: 'unpause' } });
const trigger = async (): Promise<string> =>
  (await hatchet.runNoWait(workflow, { message: 'A' }, {})).getWorkflowRunId();
const statusOf = async (id: string): Promise<string> => (await hatchet.api.v1WorkflowRunGetStatus(id)).data;

const runsBy = async (test: string): Promise<number> =>
  (await hatchet.runs.list({ since: new Date(0), onlyTasks: false, additionalMetadata: { test } })).rows.length;

/** A cron of every second, and a run scheduled for now. */
async function timers(name: string): Promise<{ cron: string; schedule: string }> {
  const additionalMetadata = { test: name };
  const input = { message: 'A' };
  const cron = await hatchet.crons.create(workflow, { name, expression: '* * * * * *', input, additionalMetadata });
  const schedule = await hatchet.schedules.create(workflow, { triggerAt: new Date(), input, additionalMetadata });
  return { cron: cron.metadata.id, schedule: schedule.metadata.id };
}

const errorsOf = async ({ cron, schedule }: { cron: string; schedule: string }): Promise<unknown[]> => [
  Object(await hatchet.crons.get(cron)).lastError,
  Object(await hatchet.schedules.get(schedule)).error,
];

describe('a pause of a workflow, by the published SDK', () => {
  test('that keeps timers makes their runs, which wait for its end', async () => {
    expect((await pause('QUEUE', 'QUEUE', '1d2h')).data).toMatchObject({
      isPaused: true,
      pausedWorkflowCronRunQueueBehavior: 'QUEUE',
      pausedWorkflowScheduledRunQueueBehavior: 'QUEUE',
      pausedWorkflowQueueTTL: '26h',
    });
    const made = await timers('kept');
    await expect.poll(() => runsBy('kept'), { timeout: 10_000 }).toBeGreaterThanOrEqual(2);
    const runId = await trigger();
    expect(await statusOf(runId)).toBe('QUEUED');
    await hatchet.crons.delete(made.cron);
    expect((await unpause()).data).toMatchObject({ isPaused: false });
    await expect.poll(() => statusOf(runId), { timeout: 10_000 }).toBe('COMPLETED');
  });

  test('that drops them makes none, and cancels what is queued for too long, by the next engine too', async () => {
    await pause('DROP', 'DROP', '1s');
    const made = await timers('dropped');
    const dropped = 'dropped: its workflow is paused';
    await expect.poll(() => errorsOf(made), { timeout: 10_000 }).toEqual([dropped, dropped]);
    expect(await runsBy('dropped')).toBe(0);
    const first = await trigger();
    await expect.poll(() => statusOf(first), { timeout: 10_000 }).toBe('CANCELLED');
    const told = (await hatchet.runs.get(first)).taskEvents.map((event) => [event.eventType, event.message]);
    expect(told).toContainEqual(['CANCELLED', 'its workflow is paused, and keeps what is queued for 1s']);

    await fixture.engine.end('SIGKILL');
    await fixture.startAgain();
    expect((await hatchet.api.workflowGet(workflowId)).data).toMatchObject({
      isPaused: true,
      pausedWorkflowCronRunQueueBehavior: 'DROP',
      pausedWorkflowScheduledRunQueueBehavior: 'DROP',
    });
    const second = await trigger();
    await expect.poll(() => statusOf(second), { timeout: 10_000 }).toBe('CANCELLED');
    expect(await runsBy('dropped')).toBe(0);
    await unpause();
    // The cron goes on, the scheduled run is gone.
    await expect.poll(() => runsBy('dropped'), { timeout: 10_000 }).toBeGreaterThanOrEqual(2);
    expect(await errorsOf(made)).toEqual([undefined, dropped]);
    await hatchet.crons.delete(made.cron);
  });

  test('is refused whole where a rule of it is none', async () => {
    for (const [crons, schedules, ttl, reason] of [
      ['LATER', 'QUEUE', '1h', 'pausedWorkflowCronRunQueueBehavior is neither DROP nor QUEUE'],
      ['QUEUE', 'later', '1h', 'pausedWorkflowScheduledRunQueueBehavior is neither DROP nor QUEUE'],
      ['QUEUE', 'QUEUE', 'soon', 'pausedWorkflowQueueTTL "soon" is not a duration'],
      ['QUEUE', 'QUEUE', '0s', 'pausedWorkflowQueueTTL "0s" is not a duration'],
    ] as const) {
      const refused: unknown = await pause(crons, schedules, ttl).catch((error: unknown) => error);
      expect(Object(refused).response.status).toBe(400);
      expect(Object(refused).response.data.errors[0].description).toContain(reason);
    }
    expect((await hatchet.api.workflowGet(workflowId)).data.isPaused).toBe(false);
  });
});
