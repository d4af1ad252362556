import { V1TaskEventType, V1TaskStatus } from '@hatchet-dev/typescript-sdk/clients/rest/generated/data-contracts.js';
import { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/index.js';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { RunStatus } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { engineProcessFixture } from '../helpers/engine-fixture.ts';
import type { GrpcClients } from '../helpers/grpc-client.ts';
import { activeWorkers } from '../helpers/listed-workers.ts';

const fixture = engineProcessFixture('flow');
let clients: GrpcClients;
let hatchet: HatchetClient;

beforeAll(async () => {
  ({ clients } = fixture);
  Object.assign(process.env, fixture.env);
  fixture.spawn('published-flow/worker.mjs');
  hatchet = HatchetClient.init();
  await vi.waitFor(async () => expect(await activeWorkers(clients)).toBe(1), { timeout: 30_000 });
});

async function start(workflow: string, input: Record<string, number | boolean> = {}) {
  const ref = await hatchet.runNoWait(workflow, input, {});
  return { ref, runId: await ref.getWorkflowRunId() };
}

async function statuses(runId: string): Promise<Record<string, RunStatus>> {
  const { tasks } = await clients.call(clients.monitor, clients.monitor.getRun, { runId });
  return Object.fromEntries(tasks.map((task) => [task.name, task.status]));
}

async function runsOf(eventId: string): Promise<unknown[]> {
  const { data } = await hatchet.api.v1EventGet(hatchet.tenantId, eventId);
  const ids = (data.triggeredRuns ?? []).map((run) => run.workflowRunId);
  const outputs: unknown[] = await Promise.all(ids.map((id) => hatchet.runs.runRef(id).output));
  return outputs.map((output) => Object.values(Object(output))[0]);
}

/** As the REST client does it, whose enums cannot be written as texts. */
async function pause(workflowId: string, action: 'pause' | 'unpause'): Promise<void> {
  const { http, token } = fixture.engine.ready;
  const reply = await fetch(`http://127.0.0.1:${http.port}/api/v1/workflows/${workflowId}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ pause: { action } }),
  });
  expect(reply.status).toBe(200);
}

const { RUN_STATUS_COMPLETED: completed, RUN_STATUS_CANCELLED: cancelled, RUN_STATUS_FAILED: failed } = RunStatus;

describe('flow, by the published TypeScript SDK', () => {
  it('skips by a condition on the parent; what follows only skipped tasks is skipped too', async () => {
    expect(await hatchet.run('branchy', { n: 50 })).toMatchObject({
      big: { took: 'big' },
      small: { skipped: true },
      sum: { big: { took: 'big' }, small: { skipped: true } },
      'child-of-big': { ran: true },
    });
    const { ref, runId } = await start('branchy', { n: 1 });
    expect(await ref.output).toMatchObject({
      big: { skipped: true },
      small: { took: 'small' },
      'child-of-big': { skipped: true },
    });
    expect(Object.values(await statuses(runId))).toEqual([completed, completed, completed, completed, completed]);
  });

  it('starts on the event that its expression lets through, and gives it to the task', async () => {
    const { ref, runId } = await start('waiting');
    await expect.poll(async () => (await statuses(runId))['before']).toBe(completed);
    await hatchet.events.push('approve', { amount: 500 });
    expect((await statuses(runId))['approved']).toBe(RunStatus.RUN_STATUS_QUEUED);
    await hatchet.events.push('approve', { amount: 50, by: 'ada' });
    expect(JSON.stringify(await ref.output)).toContain('"by":"ada"');
  });

  it('is cancelled by the event that cancels it', async () => {
    const { runId } = await start('waiting');
    await expect.poll(async () => (await statuses(runId))['before']).toBe(completed);
    await hatchet.events.push('reject', {});
    expect((await statuses(runId))['approved']).toBe(cancelled);
  });

  it('goes on waiting, and sleeping, over a restart of the engine', async () => {
    const waiting = await start('waiting');
    await expect.poll(async () => (await statuses(waiting.runId))['before']).toBe(completed);
    const napping = await start('napping');
    await fixture.engine.end('SIGKILL');
    await fixture.startAgain();
    expect(JSON.stringify(await napping.ref.output)).toContain('"sleep_duration":"1s"');
    await hatchet.events.push('approve', { amount: 1 });
    await expect.poll(async () => (await statuses(waiting.runId))['approved'], { timeout: 30_000 }).toBe(completed);
  });

  it('runs the on-failure task with the errors, and skips it when nothing fails', async () => {
    const { ref, runId } = await start('failing-flow', { fail: true });
    await expect(ref.output).rejects.toBeDefined();
    const status = await statuses(runId);
    expect(status).toEqual({ broken: failed, dependent: cancelled, 'on-failure-task': completed });
    const details = await hatchet.runs.get(runId);
    expect(JSON.stringify(details.tasks)).toContain('the pump is stuck');
    expect(details.tasks.find((task) => task.displayName.startsWith('on-failure'))?.output).toMatchObject({
      errors: { broken: expect.stringContaining('the pump is stuck') },
    });
    expect(await hatchet.run('failing-flow', { fail: false })).toMatchObject({
      broken: { fine: true },
      'on-failure-task': { skipped: true },
    });
  });

  it('an event starts the workflows that listen for it', async () => {
    const event = await hatchet.events.push(
      'user:created',
      { name: 'ada' },
      { additionalMetadata: { source: 'test' } },
    );
    const [output] = await runsOf(event.eventId);
    expect(output).toMatchObject({
      input: { name: 'ada' },
      metadata: { source: 'test', hatchet__event_id: event.eventId, hatchet__event_key: 'user:created' },
    });
    const nothing = await hatchet.events.push('userXcreated', {});
    expect(await runsOf(nothing.eventId)).toEqual([]);
  });

  it('filters decide by scope and expression, and give their payload', async () => {
    const workflow = await hatchet.workflows.get('filtered');
    const made = await hatchet.filters.create({
      workflowId: workflow.metadata.id,
      scope: 'eu',
      expression: 'input.amount > 10.0 && payload.region == "eu"',
      payload: { region: 'eu' },
    });
    const push = async (amount: number, scope?: string): Promise<unknown[]> =>
      runsOf((await hatchet.events.push('order:placed', { amount }, scope === undefined ? {} : { scope })).eventId);
    expect(await push(50, 'eu')).toEqual([{ input: { amount: 50 }, payload: { region: 'eu' } }]);
    expect(await push(5, 'eu')).toEqual([]);
    expect(await push(50, 'us')).toEqual([]);
    expect(await push(50)).toEqual([]);
    await hatchet.filters.delete(made.metadata.id);
    expect(await push(50)).toHaveLength(1);
  });

  it('a cron fires every tick once, until it is switched off', async () => {
    const cron = await hatchet.crons.create('listener', {
      name: 'each-second',
      expression: '* * * * * *',
      input: { from: 'cron' },
      additionalMetadata: { team: 'blue' },
    });
    const ticks = async (): Promise<string[]> => {
      const { rows } = await hatchet.runs.list({
        additionalMetadata: { hatchet__cron_name: 'each-second' },
        limit: 100,
      });
      return (rows ?? []).map((row) => Object(row.additionalMetadata)['hatchet__cron_scheduled_at']);
    };
    await expect.poll(async () => (await ticks()).length).toBeGreaterThan(2);
    const seen = await ticks();
    expect(new Set(seen).size).toBe(seen.length);
    for (const tick of seen) expect(tick).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const listed = await hatchet.crons.list({ cronName: 'each-second' });
    expect(listed.rows?.map((row) => [row.cron, row.enabled, row.workflowName, row.method])).toEqual([
      ['* * * * * *', true, 'listener', 'API'],
    ]);
    await expect(
      hatchet.crons.create('listener', { name: 'each-second', expression: '* * * * *', input: {} }),
    ).rejects.toBeDefined();
    await hatchet.crons.delete(cron.metadata.id);
    const afterwards = (await ticks()).length;
    await hatchet.run('napping', {}); // longer than a tick
    expect((await ticks()).length).toBe(afterwards);
  });

  it('a scheduled run comes at its time, can be moved, and can be deleted', async () => {
    const inAnHour = new Date(Date.now() + 3_600_000);
    const [first, second] = [
      await hatchet.scheduled.create('listener', { triggerAt: inAnHour, input: { from: 'schedule' } }),
      await hatchet.scheduled.create('listener', { triggerAt: inAnHour, input: {} }),
    ];
    expect((await hatchet.scheduled.list({})).rows?.length).toBe(2);
    await hatchet.scheduled.delete(second.metadata.id);
    await hatchet.scheduled.update(first.metadata.id, { triggerAt: new Date() });
    await expect.poll(async () => (await hatchet.scheduled.get(first.metadata.id)).workflowRunStatus).toBe('SUCCEEDED');
    const { workflowRunId } = await hatchet.scheduled.get(first.metadata.id);
    expect(JSON.stringify(await hatchet.runs.runRef(workflowRunId ?? '').output)).toContain('"from":"schedule"');
    await expect(hatchet.scheduled.get(second.metadata.id)).rejects.toBeDefined();
  });

  it('replays a task with what follows it, and keeps what came before', async () => {
    const { ref, runId } = await start('pipeline');
    await expect(ref.output).rejects.toBeDefined();
    const before = await hatchet.runs.get(runId);
    const id = (name: string): string =>
      before.tasks.find((task) => task.displayName.startsWith(name))?.taskExternalId ?? '';
    const madeId = Object(before.tasks.find((task) => task.displayName.startsWith('made'))?.output).id;
    expect(await statuses(runId)).toEqual({ made: completed, shaky: failed, after: cancelled });
    await hatchet.runs.replay({ ids: [id('shaky')] });
    const again: unknown = await hatchet.runs.runRef(runId).output;
    expect(again).toMatchObject({
      made: { id: madeId, retry: 0 },
      shaky: { made: madeId, retry: 1 },
      after: { shaky: { made: madeId } },
    });
    expect(await statuses(runId)).toEqual({ made: completed, shaky: completed, after: completed });
    // The whole run, with the engine killed in between: the next generation, numbered on.
    await hatchet.runs.replay({ ids: [runId] });
    await fixture.engine.end('SIGKILL');
    await fixture.startAgain();
    await expect
      .poll(async () => await hatchet.runs.get_status(runId).catch(() => 'away'), { timeout: 45_000 })
      .toBe('COMPLETED');
    const last = Object(await hatchet.runs.runRef(runId).output);
    expect(last.made.id).not.toBe(madeId);
    // Killed before the worker had shown a start, the attempt went to it again under the next number.
    expect(last.made.retry).toBeGreaterThanOrEqual(1);
    expect(last.shaky.made).toBe(last.made.id);
  }, 60_000);

  it('streams in order, and keeps what was streamed', async () => {
    const { ref, runId } = await start('chatty');
    const listen = async (): Promise<string> => {
      let text = '';
      for await (const chunk of hatchet.runs.subscribeToStream(runId)) text += chunk;
      return text;
    };
    const expected = Array.from({ length: 50 }, (_, index) => `chunk ${index};`).join('');
    expect(await listen()).toBe(expected);
    await ref.output;
    expect(await listen()).toBe(expected);
  });

  it('a second run with a claimed idempotency key collides, and names the one that holds it', async () => {
    const trigger = (id: string) => hatchet.runNoWait('once-an-hour', { id }, {}).then((ref) => ref.getWorkflowRunId());
    const first = await trigger('a');
    await hatchet.runs.runRef(first).output;
    await expect(trigger('a')).rejects.toMatchObject({ existingRunExternalId: first });
    expect(await trigger('b')).not.toBe(first);
    // Over a restart, too.
    await fixture.engine.end('SIGKILL');
    await fixture.startAgain();
    await expect.poll(() => trigger('a').catch((error: unknown) => Object(error).existingRunExternalId)).toBe(first);
    const bulk: unknown = await hatchet.admin
      .runWorkflows(['a', 'c', 'd', 'c'].map((id) => ({ workflowName: 'once-an-hour', input: { id }, options: {} })))
      .catch((error: unknown) => error);
    expect(bulk).toMatchObject({ collisions: [{ existingRunExternalId: first }, {}] });
  }, 60_000);

  it('a key claimed by status is free once its run has ended; an event that collides is dropped', async () => {
    const counted = async (id: string) =>
      (await runsOf((await hatchet.events.push('once:now', { id })).eventId)).length;
    expect(await counted('x')).toBe(1);
    expect(await counted('x')).toBe(1); // the first has ended
    const workflow = await hatchet.workflows.get('once');
    await pause(workflow.metadata.id, 'pause');
    const waiting = await hatchet.runNoWait('once', { id: 'y' }, {});
    const event = await hatchet.events.push('once:now', { id: 'y' });
    const { data } = await hatchet.api.v1EventGet(hatchet.tenantId, event.eventId);
    expect(data.triggeredRuns).toEqual([]);
    await pause(workflow.metadata.id, 'unpause');
    await waiting.output;
  });

  it('replays by filter: the failed ones of a workflow and a time, and no others', async () => {
    const since = new Date();
    const run = async (fail: boolean, batch: string): Promise<string> => {
      const ref = await hatchet.runNoWait('failing-flow', { fail }, { additionalMetadata: { batch } });
      await ref.output.catch(() => undefined);
      return ref.getWorkflowRunId();
    };
    const [first, second, fine, other] = [
      await run(true, 'red'),
      await run(true, 'red'),
      await run(false, 'red'),
      await run(true, 'blue'),
    ];
    const retries = async (runId: string): Promise<number[]> =>
      (await hatchet.runs.get(runId)).tasks.map((task) => task.retryCount ?? -1);
    const { data } = await hatchet.runs.replay({
      filters: {
        since,
        statuses: [V1TaskStatus.FAILED],
        workflowNames: ['failing-flow'],
        additionalMetadata: { batch: 'red' },
      },
    });
    expect(data.ids).toHaveLength(6);
    for (const runId of [first, second]) {
      await expect(hatchet.runs.runRef(runId).output).rejects.toBeDefined();
      expect(await retries(runId)).toEqual([1, 1, 1]);
      expect(
        (await hatchet.runs.get(runId)).taskEvents.filter(
          (event) => event.eventType === V1TaskEventType.RETRIED_BY_USER,
        ),
      ).toHaveLength(3);
    }
    for (const runId of [fine, other]) expect(await retries(runId)).toEqual([0, 0, 0]);
    await expect(hatchet.runs.replay({ ids: Array.from({ length: 1001 }, () => first) })).rejects.toBeDefined();
  });

  it('pushes in bulk', async () => {
    const pushed = await hatchet.events.bulkPush(
      'user:bulk',
      Array.from({ length: 5 }, (_, index) => ({ payload: { index } })),
    );
    const outputs = await Promise.all(pushed.events.map((event) => runsOf(event.eventId)));
    expect(outputs.map(([output]) => output)).toEqual(
      Array.from({ length: 5 }, (_, index) => expect.objectContaining({ input: { index } })),
    );
  });
});
