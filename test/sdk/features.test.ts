import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RateLimitDuration, RunCancelledError, RunFailedError, type Hatchet } from '../../sdk/index.ts';
import { gate } from '../helpers/gate.ts';
import { SdkBench } from '../helpers/sdk-target.ts';

let bench: SdkBench;
let hatchet: Hatchet;

beforeAll(async () => {
  bench = await SdkBench.start();
  ({ hatchet } = bench);
});

afterAll(async () => await bench.stop());

describe('runs, as they are looked at and handled', () => {
  it('are listed, read, replayed and cancelled', async () => {
    let isBroken = true;
    const handled = hatchet.task({
      name: 'handled',
      fn: (input: { n: number }) => {
        if (isBroken) throw new Error('not yet');
        return { n: input.n };
      },
    });
    await bench.serve([handled]);
    const ref = await handled.runNoWait({ n: 3 }, { additionalMetadata: { of: bench.named('handled') } });
    await expect(ref.result()).rejects.toBeInstanceOf(RunFailedError);
    await expect
      .poll(async () =>
        (await hatchet.runs.list({ additionalMetadata: { of: bench.named('handled') } })).rows?.map(
          ({ status }) => status,
        ),
      )
      .toEqual(['FAILED']);
    await expect.poll(async () => await hatchet.runs.get_status(ref)).toBe('FAILED');
    const { run } = await hatchet.runs.get(ref);
    expect(run).toMatchObject({ status: 'FAILED', errorMessage: 'not yet', input: { n: 3 } });
    isBroken = false;
    await ref.replay();
    await expect.poll(async () => await hatchet.runs.get_status(ref)).toBe('COMPLETED');
    expect(await hatchet.runs.getDetails(ref)).toMatchObject({
      status: 'COMPLETED',
      done: true,
      input: { n: 3 },
      taskRuns: { handled: { output: { n: 3 } } },
    });
  });

  it('started once under a key give the run that is there', async () => {
    const started = gate();
    const finish = gate();
    const once = hatchet.task({
      name: 'once',
      idempotency: { expression: 'input.id', strategy: 'ttl', ttlMs: 3_600_000 },
      fn: async (input: { id: string }) => {
        started.open();
        await finish.opened;
        return { id: input.id };
      },
    });
    await bench.serve([once]);
    const id = bench.named('once');
    const first = await once.runNoWait({ id });
    await started.opened;
    await expect(once.runNoWait({ id })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_COLLISION',
      existingRunExternalId: first.workflowRunId,
    });
    finish.open();
    expect(await first.result()).toEqual({ id });
  });

  it('say the names of their workflow and task as the code has them', async () => {
    const named = hatchet.task({
      name: 'NamedAsWritten',
      fn: (_: object, ctx) => ({ workflow: ctx.workflowName(), task: ctx.taskName() }),
    });
    const flow = hatchet.workflow<object, { StepOne: { workflow: string; task: string } }>({ name: 'FlowAsWritten' });
    flow.task({ name: 'StepOne', fn: (_, ctx) => ({ workflow: ctx.workflowName(), task: ctx.taskName() }) });
    await bench.serve([named, flow]);
    expect(await named.run({})).toEqual({ workflow: 'NamedAsWritten', task: 'NamedAsWritten' });
    expect(await flow.run({})).toEqual({ StepOne: { workflow: 'FlowAsWritten', task: 'StepOne' } });
  });

  it('of which nobody knows say so', async () => {
    const id = crypto.randomUUID();
    const unknown = expect.objectContaining({ code: 'UNKNOWN_RUN' });
    await expect(hatchet.runs.getDetails(id)).rejects.toEqual(unknown);
    await expect(hatchet.runs.get(id)).rejects.toEqual(unknown);
  });
});

describe('what is kept by the engine', () => {
  it('workflows are found by name, paused and unpaused', async () => {
    const pausable = hatchet.task({ name: 'pausable', fn: () => ({ ran: true }) });
    await bench.serve([pausable]);
    expect(await hatchet.workflows.get(pausable)).toMatchObject({ name: `${hatchet.config.namespace}pausable` });
    await hatchet.workflows.pause(pausable);
    expect(await hatchet.workflows.get(pausable)).toMatchObject({ isPaused: true });
    const waiting = await pausable.runNoWait({});
    await hatchet.workflows.unpause(pausable);
    expect(await waiting.result()).toEqual({ ran: true });
    await hatchet.workflows.pause(pausable, { crons: 'drop', queueTtl: { minutes: 90 } });
    expect(await hatchet.workflows.get(pausable)).toMatchObject({
      pausedWorkflowCronRunQueueBehavior: 'DROP',
      pausedWorkflowScheduledRunQueueBehavior: 'QUEUE',
      pausedWorkflowQueueTTL: '1h30m',
    });
    await hatchet.workflows.unpause(pausable);
    await expect(hatchet.workflows.get('nobody-has-this')).rejects.toMatchObject({ code: 'UNKNOWN_WORKFLOW' });
  });

  it('workers are listed and paused', async () => {
    const worker = await bench.serve([hatchet.task({ name: 'of-a-worker', fn: () => ({}) })]);
    const id = worker.workerId ?? '';
    await expect
      .poll(async () => await hatchet.workers.get(id))
      .toMatchObject({ name: `${hatchet.config.namespace}test`, status: 'ACTIVE' });
    await hatchet.workers.pause(id);
    await expect.poll(async () => await hatchet.workers.isPaused(id)).toBe(true);
    await hatchet.workers.unpause(id);
    await expect.poll(async () => await hatchet.workers.isPaused(id)).toBe(false);
  });

  it('rate limits are put, listed and deleted', async () => {
    const key = bench.named('listed');
    await hatchet.ratelimits.upsert({ key, limit: 7, duration: RateLimitDuration.MINUTE });
    expect((await hatchet.ratelimits.list({ search: key })).rows).toEqual([
      expect.objectContaining({ key, limitValue: 7, window: 'MINUTE' }),
    ]);
    await hatchet.ratelimits.delete(key);
    expect((await hatchet.ratelimits.list({ search: key })).rows).toEqual([]);
  });

  it('filters and webhooks are made, changed and deleted', async () => {
    await bench.serve([hatchet.task({ name: 'filtered', onEvents: ['filtered:event'], fn: () => ({}) })]);
    const { metadata } = await hatchet.workflows.get('filtered');
    const filter = await hatchet.filters.create({
      workflowId: metadata.id,
      scope: 'eu',
      expression: 'input.n > 1.0',
      payload: { gift: 'mug' },
    });
    expect(await hatchet.filters.get(filter)).toMatchObject({
      scope: 'eu',
      expression: 'input.n > 1.0',
      payload: { gift: 'mug' },
    });
    expect(await hatchet.filters.update(filter, { scope: 'us' })).toMatchObject({
      scope: 'us',
      expression: 'input.n > 1.0',
    });
    await hatchet.filters.delete(filter);

    const name = bench.named('hook');
    await hatchet.webhooks.create({
      name,
      sourceName: 'GENERIC',
      eventKeyExpression: "'hooked'",
      auth: { headerName: 'x-key', apiKey: 'secret' },
    });
    expect(await hatchet.webhooks.get(name)).toMatchObject({ name, sourceName: 'GENERIC' });
    expect(await hatchet.webhooks.update(name, { eventKeyExpression: "'changed'" })).toMatchObject({
      eventKeyExpression: "'changed'",
    });
    await hatchet.webhooks.delete(name);
  });

  it('events are listed with what they started', async () => {
    const heard = hatchet.task({
      name: 'heard',
      onEvents: ['heard:event'],
      fn: (input: { n: number }) => ({ n: input.n }),
    });
    await bench.serve([heard]);
    const { eventId } = await hatchet.events.push('heard:event', { n: 5 }, { additionalMetadata: { from: 'a test' } });
    await expect
      .poll(async () => (await hatchet.events.get(eventId).catch(() => undefined))?.triggeredRuns?.length)
      .toBe(1);
    expect(await hatchet.events.get(eventId)).toMatchObject({
      payload: { n: 5 },
      additionalMetadata: { from: 'a test' },
    });
  });

  it('scheduled runs are moved, and deleted before their time', async () => {
    const later = hatchet.task({ name: 'later', fn: (input: { n: number }) => ({ n: input.n }) });
    await bench.serve([later]);
    const at = new Date(Date.now() + 3_600_000);
    const scheduled = await hatchet.scheduled.create(later, { triggerAt: at, input: { n: 1 } });
    expect(new Date((await hatchet.scheduled.get(scheduled)).triggerAt).getTime()).toBeCloseTo(at.getTime(), -3);
    await hatchet.scheduled.delete(scheduled);
    await expect(hatchet.scheduled.get(scheduled)).rejects.toMatchObject({ code: expect.stringMatching(/^UNKNOWN_/) });
  });
});

describe('how much at once, and where', () => {
  it('keys let in as many as they may, in turn, and cancel as they are told', async () => {
    const most = { open: 0, seen: 0 };
    const two = hatchet.task({
      name: 'two-at-once',
      concurrency: { expression: 'input.key', maxRuns: 2, limitStrategy: 'GROUP_ROUND_ROBIN' },
      fn: async (input: { key: string }) => {
        most.open += 1;
        most.seen = Math.max(most.seen, most.open);
        await new Promise((resolve) => setTimeout(resolve, 50));
        most.open -= 1;
        return { key: input.key };
      },
    });
    const newest = hatchet.task({
      name: 'the-newest',
      concurrency: { expression: 'input.key', maxRuns: 1, limitStrategy: 'CANCEL_IN_PROGRESS' },
      fn: async (input: { key: string; ends: boolean }, ctx) => {
        if (!input.ends)
          await new Promise<void>((resolve) => ctx.abortController.signal.addEventListener('abort', () => resolve()));
        return { key: input.key };
      },
    });
    await bench.serve([two, newest]);
    expect(await two.run(Array.from({ length: 6 }, () => ({ key: 'a' })))).toHaveLength(6);
    expect(most.seen).toBe(2);
    const old = await newest.runNoWait({ key: 'b', ends: false });
    await expect.poll(async () => await hatchet.runs.get_status(old)).toBe('RUNNING');
    expect(await newest.run({ key: 'b', ends: true })).toEqual({ key: 'b' });
    await expect(old.result()).rejects.toBeInstanceOf(RunCancelledError);
  });

  it('labels decide on the worker, and sticky children stay with their parent', async () => {
    const where = hatchet.task({
      name: 'where',
      desiredWorkerLabels: { size: { value: 'large', required: true } },
      fn: (_: object, ctx) => ({ worker: ctx.worker.id() ?? '' }),
    });
    const child = hatchet.workflow<object, { only: { worker: string } }>({ name: 'sticks', sticky: 'HARD' });
    child.task({ name: 'only', fn: (_, ctx) => ({ worker: ctx.worker.id() ?? '' }) });
    const parent = hatchet.workflow<object, { only: { mine: string; theirs: string[] } }>({
      name: 'is-stuck-to',
      sticky: 'HARD',
    });
    parent.task({
      name: 'only',
      fn: async (_, ctx) => {
        const theirs = await Promise.all(
          [1, 2, 3].map(async () => (await ctx.runChild(child, {}, { sticky: true })).only.worker),
        );
        return { mine: ctx.worker.id() ?? '', theirs };
      },
    });
    await bench.serve([where, child, parent], { labels: { size: 'small' } });
    const large = await bench.serve([where, child, parent], { labels: { size: 'large' } });
    expect(await where.run([{}, {}, {}])).toEqual(Array.from({ length: 3 }, () => ({ worker: large.workerId })));
    const { only } = await parent.run({});
    expect(only.theirs).toEqual([only.mine, only.mine, only.mine]);
  });

  it('batches take items together, and give each its own', async () => {
    const sizes: number[] = [];
    const batch = hatchet.batchTask({
      name: 'in-batches',
      batch: { maxSize: 5, maxInterval: '500ms' },
      fn: (inputs: Record<string, { n: number }>) => {
        sizes.push(Object.keys(inputs).length);
        return Object.fromEntries(Object.entries(inputs).map(([id, { n }]) => [id, { double: n * 2 }]));
      },
    });
    await bench.serve([batch]);
    expect(await batch.run(Array.from({ length: 10 }, (_, n) => ({ n })))).toEqual(
      Array.from({ length: 10 }, (_, n) => ({ double: n * 2 })),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(10);
    expect(Math.max(...sizes)).toBeGreaterThan(1);
  });
});
