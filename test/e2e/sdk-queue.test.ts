import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { RunningEngine } from '../../engine/config.ts';
import { startEngine } from '../../engine/index.ts';
import { ConcurrencyLimitStrategy, Hatchet, Or, RateLimitDuration, RunCancelledError, SleepCondition, UserEventCondition, type Runnable, type Worker } from '../../sdk/index.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/test-database.ts';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
let dataDir: string;
let database: TestDatabase;
let engine: RunningEngine;
let hatchet: Hatchet;
const workers: { worker: Worker; running: Promise<void> }[] = [];

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'hatchet-sdk-'));
  database = await createTestDatabase();
  engine = await startEngine({ databaseUrl: database.url, dataDir, grpcPort: 0, httpPort: 0, logLevel: 'error' });
  hatchet = Hatchet.init({ token: engine.token, logger: () => quiet });
});

afterEach(async () => {
  for (const { worker, running } of workers.splice(0)) {
    await worker.stop();
    await running;
  }
});

afterAll(async () => {
  hatchet.close();
  await engine.stop();
  await database.drop();
  rmSync(dataDir, { recursive: true });
});

async function serve(...workflows: Runnable[]): Promise<void> {
  const worker = await hatchet.worker('test', { handleKill: false, workflows });
  workers.push({ worker, running: worker.start() });
  await worker.waitUntilReady();
}

describe('the queue, by our SDK', () => {
  it('waits for an event or a sleep, skips, and cleans up after a failure', async () => {
    const flow = hatchet.workflow<{ n: number }>({ name: 'flow' });
    const first = flow.task({ name: 'first', fn: (input) => ({ n: input.n }) });
    flow.task({ name: 'approved', parents: [first], waitFor: Or(new UserEventCondition('approve', 'input.by == "ada"'), new SleepCondition('1h')), fn: (_, ctx) => ctx.triggers() });
    const big = flow.task({ name: 'big', parents: [first], skipIf: [{ parent: first, expression: 'output.n < 10.0' }], fn: () => ({ big: true }) });
    flow.task({
      name: 'last',
      parents: [big],
      fn: () => {
        throw new Error('no more');
      },
    });
    const errors: Record<string, string>[] = [];
    flow.onFailure((_, ctx) => {
      errors.push(ctx.errors());
      return {};
    });
    await serve(flow);

    const small = await flow.runNoWait({ n: 1 });
    await expect.poll(async () => (await hatchet.runs.getDetails(small)).taskRuns['first']?.status).toBe('COMPLETED');
    await hatchet.events.push('approve', { by: 'bob' });
    await hatchet.events.push('approve', { by: 'ada' });
    const done: unknown = await small.output;
    expect(done).toMatchObject({ approved: { approve: { by: 'ada' } }, big: { skipped: true }, last: { skipped: true }, 'on-failure-task': { skipped: true } });

    const large = await flow.runNoWait({ n: 50 });
    await expect.poll(() => errors.length).toBe(1);
    expect(errors[0]?.['last']).toContain('no more');
    await hatchet.runs.cancel({ ids: [large.workflowRunId] });
  });

  it('keys, rate limits and a refusal by an expression', async () => {
    await hatchet.ratelimits.upsert({ key: 'mail', limit: 1, duration: RateLimitDuration.HOUR });
    const mail = hatchet.task({ name: 'mail', rateLimits: [{ staticKey: 'mail', units: 1 }], fn: () => ({ sent: true }) });
    const single = hatchet.task({ name: 'single', concurrency: { expression: 'input.user', maxRuns: 1, limitStrategy: ConcurrencyLimitStrategy.CANCEL_NEWEST }, fn: async (_input: { user?: string }, ctx) => new Promise<object>((resolve) => ctx.abortController.signal.addEventListener('abort', () => resolve({}))) });
    await serve(mail, single);
    expect(await mail.run({})).toEqual({ sent: true });
    const waiting = await mail.runNoWait({});
    expect((await hatchet.runs.getDetails(waiting)).status).toBe('QUEUED');
    await hatchet.ratelimits.upsert({ key: 'mail', limit: 1, duration: RateLimitDuration.HOUR });
    await hatchet.runs.cancel({ ids: [waiting.workflowRunId] });

    const kept = await single.runNoWait({ user: 'ada' });
    await expect(single.run({ user: 'ada' })).rejects.toBeInstanceOf(RunCancelledError);
    await expect(single.run({})).rejects.toThrow('the concurrency expression "input.user" failed');
    await hatchet.runs.cancel({ ids: [kept.workflowRunId] });
  });

  it('streams chunks in order, to early and late subscribers', async () => {
    let go = (): void => {};
    const subscribed = new Promise<void>((resolve) => (go = resolve));
    const speaker = hatchet.task({
      name: 'speaker',
      fn: async (_: object, ctx) => {
        for (const word of ['one', 'two']) await ctx.putStream(word);
        await subscribed;
        for (const word of ['three', 'four']) await ctx.putStream(word);
        return {};
      },
    });
    await serve(speaker);
    const ref = await speaker.runNoWait({});
    const heard: string[] = [];
    for await (const chunk of hatchet.runs.subscribeToStream(ref.workflowRunId)) {
      heard.push(chunk);
      if (heard.length === 2) go();
    }
    const late: string[] = [];
    for await (const chunk of hatchet.runs.subscribeToStream(ref.workflowRunId)) late.push(chunk);
    expect([heard, late]).toEqual([['one', 'two', 'three', 'four'], ['one', 'two', 'three', 'four']]);
    await expect(hatchet.runs.subscribeToStream(crypto.randomUUID()).next()).rejects.toMatchObject({ code: 'UNKNOWN_RUN' });
  });

  it('events with filters, crons and scheduled runs', async () => {
    const seen: unknown[] = [];
    const listener = hatchet.task({
      name: 'listener',
      onEvents: ['order:*'],
      defaultFilters: [{ scope: 'eu', expression: 'input.amount > 10.0', payload: { region: 'eu' } }],
      fn: (input: { amount: number }, ctx) => {
        seen.push([input.amount, ctx.filterPayload(), ctx.triggeredByEvent()]);
        return {};
      },
    });
    await serve(listener);
    await hatchet.events.bulkPush('order:placed', [{ payload: { amount: 5 } }, { payload: { amount: 50 } }], { scope: 'eu' });
    await expect.poll(() => seen.length).toBe(1);
    expect(seen[0]).toEqual([50, { region: 'eu' }, true]);

    const cron = await hatchet.crons.create(listener, { name: 'nightly', expression: '0 3 * * *', timezone: 'Europe/Berlin', input: { amount: 1 } });
    expect(await hatchet.crons.get(cron)).toMatchObject({ name: 'nightly', cron: '0 3 * * *', enabled: true, workflowName: 'listener' });
    await hatchet.crons.update(cron, { enabled: false });
    expect((await hatchet.crons.list({ cronName: 'nightly' })).rows?.map((row) => row.enabled)).toEqual([false]);
    await hatchet.crons.delete(cron);

    const scheduled = await hatchet.scheduled.create(listener, { triggerAt: new Date(Date.now() + 3_600_000), input: { amount: 7 } });
    await hatchet.scheduled.update(scheduled, { triggerAt: new Date() });
    await expect.poll(() => seen.length).toBe(2);
    expect(seen[1]).toEqual([7, {}, false]);
    const other = await hatchet.scheduled.create(listener, { triggerAt: new Date(Date.now() + 3_600_000) });
    expect(await hatchet.scheduled.bulkDelete([other, scheduled])).toMatchObject({ deletedIds: [other.metadata.id], errors: [{ id: scheduled.metadata.id }] });
  });

  it('declarations start runs later, with inputs of their types', async () => {
    const seen: unknown[] = [];
    const later = hatchet.task({ name: 'starts-later', input: z.object({ n: z.number() }), fn: (input, ctx) => {
      seen.push([input, ctx.additionalMetadata(), ctx.priority()]);
      return {};
    } });
    const flow = hatchet.workflow<{ n: number }>({ name: 'flow-later' });
    flow.task({ name: 'one', fn: (input) => void seen.push(input) });
    const asks = hatchet.task({ name: 'asks-for-later', fn: async () => await later.schedule(new Date(), { n: 4 }) });
    await serve(later, flow, asks);

    await later.schedule(new Date(), { n: 1 }, { additionalMetadata: { by: 'test' }, priority: 3 });
    await expect.poll(() => seen).toEqual([[{ n: 1 }, { by: 'test' }, 3]]);
    const before = Date.now();
    const soon = await flow.delay(0.5, { n: 2 });
    const inMs = Date.parse(soon.triggerAt) - before;
    expect([soon.workflowName, inMs >= 500, inMs < 60_000]).toEqual(['flow-later', true, true]);
    await expect.poll(() => seen[1]).toEqual({ n: 2 });
    const cron = await later.cron('each second', '* * * * * *', { n: 3 }, { timezone: 'Europe/Berlin', additionalMetadata: { by: 'cron' } });
    expect(cron).toMatchObject({ name: 'each second', cron: '* * * * * *', workflowName: 'starts-later', input: { n: 3 }, additionalMetadata: { by: 'cron' } });
    await expect.poll(() => seen[2]).toMatchObject([{ n: 3 }, { by: 'cron' }, 1]);
    await hatchet.crons.delete(cron);

    // Also from inside a task.
    await asks.run({});
    await expect.poll(() => seen.at(-1)).toMatchObject([{ n: 4 }, {}, 1]);

    const refused = JSON.parse('{"n":"many"}');
    for (const starts of [later.schedule(new Date(), refused), later.delay(1, refused), later.cron('wrong', '* * * * *', refused)]) await expect(starts).rejects.toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining('the input of starts-later') });
    await expect(flow.delay(-1, { n: 1 })).rejects.toMatchObject({ code: 'INVALID_DURATION' });
    await expect(flow.schedule(new Date('never'), { n: 1 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(hatchet.workflow<string[]>({ name: 'flow-later' }).schedule(new Date(), ['no object'])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('the input of flow-later is not an object') });
    expect((await hatchet.crons.list({ cronName: 'wrong' })).rows ?? []).toEqual([]);
  });

  it('timers and filters of a workflow that nobody has registered name it', async () => {
    const unknown = expect.objectContaining({ code: 'UNKNOWN_WORKFLOW' });
    await expect(hatchet.crons.create('nowhere', { name: 'nightly', expression: '0 3 * * *' })).rejects.toEqual(unknown);
    await expect(hatchet.scheduled.create('nowhere', { triggerAt: new Date() })).rejects.toEqual(unknown);
    await expect(hatchet.filters.create({ workflowId: '01a21c5d-cf7e-7214-b8da-eeeb604ca8bf', scope: 'eu', expression: 'true' })).rejects.toEqual(unknown);
  });
});
