import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  ConcurrencyLimitStrategy,
  Or,
  RateLimitDuration,
  RunCancelledError,
  SleepCondition,
  UserEventCondition,
  type Hatchet,
} from '../../sdk/index.ts';
import { SdkBench } from '../helpers/sdk-target.ts';
import { differs } from './differences.ts';

/** Refused where it would be left out in silence. */
const zone = differs('time zones of crons') ? {} : { timezone: 'Europe/Berlin' };

let bench: SdkBench;
let hatchet: Hatchet;

beforeAll(async () => {
  bench = await SdkBench.start();
  ({ hatchet } = bench);
});

afterAll(async () => await bench.stop());

describe('the queue, by our SDK', () => {
  it('waits for an event or a sleep, skips, and cleans up after a failure', async () => {
    const flow = hatchet.workflow<{ n: number }>({ name: 'flow' });
    let firsts = 0;
    const first = flow.task({ name: 'first', fn: (input) => ({ n: input.n, nth: (firsts += 1) }) });
    flow.task({
      name: 'approved',
      parents: [first],
      waitFor: Or(new UserEventCondition('approve', 'input.by == "ada"'), new SleepCondition('1h')),
      fn: (_, ctx) => ctx.triggers(),
    });
    const big = flow.task({
      name: 'big',
      parents: [first],
      skipIf: [{ parent: first, expression: 'output.n < 10.0' }],
      fn: () => ({ big: true }),
    });
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
    await bench.serve([flow]);

    const small = await flow.runNoWait({ n: 1 });
    await expect.poll(() => firsts).toBe(1);
    await hatchet.events.push('approve', { by: 'bob' });
    await hatchet.events.push('approve', { by: 'ada' });
    const done: unknown = await small.output;
    expect(done).toMatchObject({
      approved: { approve: { by: 'ada' } },
      big: { skipped: true },
      last: { skipped: true },
      'on-failure-task': { skipped: true },
    });

    const large = await flow.runNoWait({ n: 50 });
    await expect.poll(() => errors.length).toBe(1);
    expect(errors[0]?.['last']).toBe('no more');
    await hatchet.runs.cancel({ ids: [large.workflowRunId] });
  });

  it('keys, rate limits and a refusal by an expression', async () => {
    const key = bench.named('mail');
    await hatchet.ratelimits.upsert({ key, limit: 1, duration: RateLimitDuration.HOUR });
    const mail = hatchet.task({ name: 'mail', rateLimits: [{ staticKey: key, units: 1 }], fn: () => ({ sent: true }) });
    const single = hatchet.task({
      name: 'single',
      concurrency: { expression: 'input.user', maxRuns: 1, limitStrategy: ConcurrencyLimitStrategy.CANCEL_NEWEST },
      fn: async (_input: { user?: string }, ctx) =>
        new Promise<object>((resolve) => ctx.abortController.signal.addEventListener('abort', () => resolve({}))),
    });
    await bench.serve([mail, single]);
    expect(await mail.run({})).toEqual({ sent: true });
    const waiting = await mail.runNoWait({});
    expect((await hatchet.runs.getDetails(waiting)).status).toBe('QUEUED');
    await hatchet.ratelimits.upsert({ key, limit: 1, duration: RateLimitDuration.HOUR });
    await hatchet.runs.cancel({ ids: [waiting.workflowRunId] });

    const kept = await single.runNoWait({ user: 'ada' });
    await expect(single.run({ user: 'ada' })).rejects.toBeInstanceOf(RunCancelledError);
    await expect(single.run({})).rejects.toThrow(
      differs('failed expressions') ? 'input.user' : 'the concurrency expression "input.user" failed',
    );
    await hatchet.runs.cancel({ ids: [kept.workflowRunId] });
  });

  it('streams chunks in order, to early and late subscribers', async () => {
    const heardIt = new AbortController();
    const speaker = hatchet.task({
      name: 'speaker',
      fn: async (_: object, ctx) => {
        // Nobody is told when a subscriber is there, and a cluster keeps nothing for it.
        while (!heardIt.signal.aborted) {
          await ctx.putStream('is somebody there?');
          await setTimeout(20);
        }
        for (const word of ['one', 'two', 'three', 'four']) await ctx.putStream(word);
        return {};
      },
    });
    await bench.serve([speaker]);
    const ref = await speaker.runNoWait({});
    const heard: string[] = [];
    for await (const chunk of hatchet.runs.subscribeToStream(ref.workflowRunId)) {
      heardIt.abort();
      if (!chunk.endsWith('?')) heard.push(chunk);
    }
    const late: string[] = [];
    for await (const chunk of hatchet.runs.subscribeToStream(ref.workflowRunId))
      if (!chunk.endsWith('?')) late.push(chunk);
    expect([heard, late]).toEqual([
      ['one', 'two', 'three', 'four'],
      differs('live streams') ? [] : ['one', 'two', 'three', 'four'],
    ]);
    await expect(hatchet.runs.subscribeToStream(crypto.randomUUID()).next()).rejects.toMatchObject({
      code: 'UNKNOWN_RUN',
    });
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
    await bench.serve([listener]);
    await hatchet.events.bulkPush('order:placed', [{ payload: { amount: 5 } }, { payload: { amount: 50 } }], {
      scope: 'eu',
    });
    await expect.poll(() => seen.length).toBe(1);
    expect(seen[0]).toEqual([50, { region: 'eu' }, true]);

    const nightly = bench.named('nightly');
    const cron = await hatchet.crons.create(listener, {
      name: nightly,
      expression: '0 3 * * *',
      ...zone,
      input: { amount: 1 },
    });
    expect(await hatchet.crons.get(cron)).toMatchObject({
      name: nightly,
      cron: '0 3 * * *',
      enabled: true,
      workflowName: `${hatchet.config.namespace}listener`,
    });
    await hatchet.crons.update(cron, { enabled: false });
    expect((await hatchet.crons.list({ cronName: nightly })).rows?.map((row) => row.enabled)).toEqual([false]);
    await hatchet.crons.delete(cron);

    if (differs('time zones of crons'))
      await expect(
        hatchet.crons.create(listener, {
          name: nightly,
          expression: '0 3 * * *',
          timezone: 'Europe/Berlin',
          catchUp: 'all',
        }),
      ).rejects.toMatchObject({ code: 'NOT_SUPPORTED', message: expect.stringContaining('timezone and no catchUp') });

    const scheduled = await hatchet.scheduled.create(listener, {
      triggerAt: new Date(Date.now() + 3_600_000),
      input: { amount: 7 },
    });
    await hatchet.scheduled.update(scheduled, { triggerAt: new Date() });
    await expect.poll(() => seen.length).toBe(2);
    expect(seen[1]).toEqual([7, {}, false]);
    const other = await hatchet.scheduled.create(listener, { triggerAt: new Date(Date.now() + 3_600_000) });
    expect(await hatchet.scheduled.bulkDelete([other, scheduled])).toMatchObject({
      deletedIds: [other.metadata.id],
      errors: [{ id: scheduled.metadata.id }],
    });
  });

  it('declarations start runs later, with inputs of their types', async () => {
    const seen: unknown[] = [];
    const later = hatchet.task({
      name: 'starts-later',
      input: z.object({ n: z.number() }),
      fn: (input, ctx) => {
        seen.push([input, ctx.additionalMetadata(), ctx.priority()]);
        return {};
      },
    });
    const flow = hatchet.workflow<{ n: number }>({ name: 'flow-later' });
    flow.task({ name: 'one', fn: (input) => void seen.push(input) });
    const asks = hatchet.task({ name: 'asks-for-later', fn: async () => await later.schedule(new Date(), { n: 4 }) });
    await bench.serve([later, flow, asks]);

    await later.schedule(new Date(), { n: 1 }, { additionalMetadata: { by: 'test' }, priority: 3 });
    await expect.poll(() => seen).toEqual([[{ n: 1 }, expect.objectContaining({ by: 'test' }), 3]]);
    const before = Date.now();
    const soon = await flow.delay(0.5, { n: 2 });
    const inMs = Date.parse(soon.triggerAt) - before;
    expect([soon.workflowName, inMs >= 500, inMs < 60_000]).toEqual([
      `${hatchet.config.namespace}flow-later`,
      true,
      true,
    ]);
    await expect.poll(() => seen[1]).toEqual({ n: 2 });
    const eachSecond = bench.named('each-second');
    const cron = await later.cron(eachSecond, '* * * * * *', { n: 3 }, { ...zone, additionalMetadata: { by: 'cron' } });
    expect(cron).toMatchObject({
      name: eachSecond,
      cron: '* * * * * *',
      workflowName: `${hatchet.config.namespace}starts-later`,
      input: { n: 3 },
      additionalMetadata: { by: 'cron' },
    });
    await expect.poll(() => seen[2]).toMatchObject([{ n: 3 }, { by: 'cron' }, 1]);
    await hatchet.crons.delete(cron);

    // Also from inside a task.
    await asks.run({});
    await expect.poll(() => seen.at(-1)).toMatchObject([{ n: 4 }, {}, 1]);

    const refused = JSON.parse('{"n":"many"}');
    for (const starts of [
      later.schedule(new Date(), refused),
      later.delay(1, refused),
      later.cron(bench.named('wrong'), '* * * * *', refused),
    ])
      await expect(starts).rejects.toMatchObject({
        code: 'INVALID_INPUT',
        message: expect.stringContaining('the input of starts-later'),
      });
    await expect(flow.delay(-1, { n: 1 })).rejects.toMatchObject({ code: 'INVALID_DURATION' });
    await expect(flow.schedule(new Date('never'), { n: 1 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(
      hatchet.workflow<string[]>({ name: 'flow-later' }).schedule(new Date(), ['no object']),
    ).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('the input of flow-later is not an object'),
    });
    expect((await hatchet.crons.list({ cronName: bench.named('wrong') })).rows ?? []).toEqual([]);
  });

  it('timers and filters of a workflow that nobody has registered name it', async () => {
    const unknown = expect.objectContaining({ code: 'UNKNOWN_WORKFLOW' });
    await expect(hatchet.crons.create('nowhere', { name: 'nightly', expression: '0 3 * * *' })).rejects.toEqual(
      unknown,
    );
    await expect(hatchet.scheduled.create('nowhere', { triggerAt: new Date() })).rejects.toEqual(unknown);
    await expect(
      hatchet.filters.create({ workflowId: '01a21c5d-cf7e-7214-b8da-eeeb604ca8bf', scope: 'eu', expression: 'true' }),
    ).rejects.toEqual(unknown);
  });
});
