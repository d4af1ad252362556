import { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/index.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../engine/model/ids/uuid.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';

const fixture = engineFixture('timers-now');
let hatchet: HatchetClient;
let tenant: string;

beforeAll(async () => {
  process.env['HATCHET_CLIENT_LOG_LEVEL'] = 'OFF';
  hatchet = HatchetClient.init({ token: fixture.token, tls_config: { tls_strategy: 'none' } });
  tenant = hatchet.tenantId;
  const echo = fixture.hatchet.task({ name: 'now-echo', fn: (input: { n: number }) => ({ n: input.n }) });
  await fixture.serve('now', { workflows: [echo] });
});
afterAll(() => {
  delete process.env['HATCHET_CLIENT_LOG_LEVEL'];
});

const rest = () => hatchet.api;
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();

async function expectOutput(runId: string, output: unknown): Promise<void> {
  await expect.poll(async () => (await rest().v1WorkflowRunGet(runId)).data.run.output).toEqual(output);
}

describe('a cron, by the published SDK', () => {
  it('is run now with its input, says which cron it is of, and keeps its next tick', async () => {
    const { data: cron } = await rest().cronWorkflowTriggerCreate(tenant, 'now-echo', {
      cronName: 'yearly',
      cronExpression: '0 0 1 1 *',
      input: { n: 7 },
      additionalMetadata: { team: 'blue' },
    });
    const { data: started } = await rest().workflowCronTrigger(tenant, cron.metadata.id);
    await expectOutput(started.externalId, { n: 7 });
    const { data: run } = await rest().v1WorkflowRunGet(started.externalId);
    expect(run.run.additionalMetadata).toMatchObject({ team: 'blue', hatchet__cron_name: 'yearly' });
    const { data: after } = await rest().workflowCronGet(tenant, cron.metadata.id);
    expect(after).toEqual(cron);
    const { data: named } = await rest().v1WorkflowRunDisplayNamesList(tenant, {
      external_ids: [newId(), started.externalId],
    });
    expect(named.rows).toEqual([{ metadata: run.run.metadata, displayName: run.run.displayName }]);
  });

  it('that does not exist is not found', async () => {
    await expect(rest().workflowCronTrigger(tenant, newId())).rejects.toMatchObject({ response: { status: 404 } });
  });
});

describe('a scheduled run, by the published SDK', () => {
  async function schedule(): Promise<string> {
    const { data } = await rest().scheduledWorkflowRunCreate(tenant, 'now-echo', {
      triggerAt: inAnHour(),
      input: { n: 8 },
      additionalMetadata: {},
    });
    return data.metadata.id;
  }

  it('is run now, once, and is over then', async () => {
    const id = await schedule();
    const tries = await Promise.allSettled([1, 2, 3].map(() => rest().workflowScheduledTrigger(tenant, id)));
    const [started, ...others] = tries.flatMap((each) => (each.status === 'fulfilled' ? [each.value.data] : []));
    expect(others).toEqual([]);
    await expectOutput(started?.externalId ?? '', { n: 8 });
    const { data: after } = await rest().workflowScheduledGet(tenant, id);
    expect(after.workflowRunId).toBe(started?.externalId);
    await expect(rest().workflowScheduledTrigger(tenant, id)).rejects.toMatchObject({ response: { status: 404 } });
  });

  it('whose workflow is paused, and drops such runs, says so', async () => {
    const id = await schedule();
    const { data: workflows } = await rest().workflowList(tenant, { name: 'now-echo' });
    const workflow = workflows.rows?.[0]?.metadata.id ?? '';
    const { host, port } = fixture.engine.http;
    const pause = async (body: unknown) =>
      fetch(`http://${host}:${port}/api/v1/workflows/${workflow}`, {
        method: 'PATCH',
        headers: { authorization: `Bearer ${fixture.token}` },
        body: JSON.stringify({ pause: body }),
      });
    await pause({ action: 'pause', pausedWorkflowScheduledRunQueueBehavior: 'DROP' });
    await expect(rest().workflowScheduledTrigger(tenant, id)).rejects.toMatchObject({ response: { status: 409 } });
    await pause({ action: 'unpause' });
  });
});
