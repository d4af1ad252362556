import { context, propagation, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { Metadata } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseTenantId, type TenantId } from '../../engine/model/ids/tenant-id.ts';
import { readSpans, traceIdOf, type StoredSpan } from '../../engine/monitor/span-reads.ts';
import { WorkerStatus } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { Hatchet, RunFailedError } from '../../sdk/index.ts';
import { attemptAttributes, openTelemetry } from '../../sdk/opentelemetry/index.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';
import { quiet } from '../helpers/quiet-logger.ts';

const fixture = engineFixture('traces');
let tenantId: TenantId;
let provider: NodeTracerProvider;
let hatchet: Hatchet;

/** As a program with OpenTelemetry sets itself up: spans go to the engine by the official exporter. */
beforeAll(() => {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${fixture.token}`);
  const { host, port } = fixture.engine.grpc;
  const exporter = new OTLPTraceExporter({ url: `http://${host}:${port}`, metadata });
  provider = new NodeTracerProvider({
    spanProcessors: [attemptAttributes(), new BatchSpanProcessor(exporter, { scheduledDelayMillis: 50 })],
  });
  provider.register();
  hatchet = Hatchet.init({ token: fixture.token, logger: () => quiet, tracing: openTelemetry({ taskNames: true }) });
  const own = parseTenantId(hatchet.tenantId);
  if (own === undefined) throw new Error('the token names no tenant');
  tenantId = own;
});

afterAll(async () => {
  hatchet.close();
  await provider.shutdown();
  trace.disable();
  context.disable();
  propagation.disable();
});

const ofHatchet = /^hatchet\./;

async function spansOf(traceId: string): Promise<StoredSpan[]> {
  const query = { tenantId, traceId: Buffer.from(traceId, 'hex'), offset: 0, limit: 1000, bytes: 1_000_000 };
  return (await readSpans(fixture.database.pool, query)).spans;
}

interface Tree {
  [name: string]: Tree;
}

/** Names within names, as the spans are within each other; whoever has no parent among them stands at the top. */
function treeOf(spans: readonly StoredSpan[]): Tree {
  const below = (parent: string | undefined): Tree =>
    Object.fromEntries(
      spans
        .filter(({ parentSpanId }) => {
          const id = parentSpanId?.toString('hex');
          return parent === undefined ? !spans.some(({ spanId }) => spanId.toString('hex') === id) : id === parent;
        })
        .map(({ name, spanId }) => [name, below(spanId.toString('hex'))]),
    );
  return below(undefined);
}

describe('traces by OpenTelemetry', () => {
  it('are one tree from a trigger through a DAG, a child and an event, and stored by the engine', async () => {
    const child = hatchet.task({ name: 'pack', fn: (input: { n: number }) => ({ packed: input.n }) });
    const notice = hatchet.task({ name: 'tell', onEvents: ['order:sent'], fn: () => ({}) });
    const order = hatchet.workflow<{ n: number }>({ name: 'order' });
    const pay = order.task({
      name: 'pay',
      fn: ({ n }) => trace.getTracer('shop').startActiveSpan('charge', (span) => (span.end(), { paid: n })),
    });
    order.task({
      name: 'send',
      parents: [pay],
      fn: async (_input, ctx) => {
        const { paid } = await ctx.parentOutput(pay);
        const packed = await ctx.runChild(child, { n: paid });
        await hatchet.events.push('order:sent', { id: 1 }, { additionalMetadata: { shop: 'north' } });
        return packed;
      },
    });
    const worker = await hatchet.worker('traced', { handleKill: false, workflows: [child, notice, order] });
    const running = worker.start();
    await worker.waitUntilReady();
    const [traceId, runId] = await trace.getTracer('shop').startActiveSpan('checkout', async (span) => {
      const ref = await order.runNoWait({ n: 3 }, { additionalMetadata: { shop: 'north' } });
      expect(await ref.output).toEqual({ pay: { paid: 3 }, send: { packed: 3 } });
      span.end();
      return [span.spanContext().traceId, await ref.getWorkflowRunId()] as const;
    });
    await vi.waitFor(async () => expect(await spansOf(traceId)).toHaveLength(9));
    const spans = await spansOf(traceId);
    expect(treeOf(spans)).toEqual({
      checkout: {
        'hatchet.run_workflow': {
          'hatchet.start_step_run.order:pay': { charge: {} },
          'hatchet.start_step_run.order:send': {
            'hatchet.run_workflow': { 'hatchet.start_step_run.pack:pack': {} },
            'hatchet.push_event': { 'hatchet.start_step_run.tell:tell': {} },
          },
        },
      },
    });
    // What other libraries do inside of a task belongs to its attempt as well, and metadata of one's own is kept.
    const charge = spans.find(({ name }) => name === 'charge');
    expect(charge).toMatchObject({ runId, attempt: 0 });
    expect(charge?.taskId).toBe(spans.find(({ name }) => name.endsWith('order:pay'))?.taskId);
    expect((await traceIdOf(fixture.database.pool, tenantId, runId))?.toString('hex')).toBe(traceId);
    const { run } = await fixture.clients.call(fixture.clients.monitor, fixture.clients.monitor.getRun, { runId });
    expect(JSON.parse(run?.additionalMetadata ?? '')).toMatchObject({
      shop: 'north',
      traceparent: expect.stringContaining(traceId),
    });
    await worker.stop();
    await running;
  });

  it('have a span for each attempt, with its failure, and for the waits of a durable task', async () => {
    const flaky = hatchet.task({
      name: 'flaky',
      retries: 1,
      fn: (_input, ctx) => {
        if (ctx.retryCount() === 0) throw new Error('the first time');
        return {};
      },
    });
    const failing = hatchet.task({ name: 'failing', fn: () => Promise.reject(new Error('each time')) });
    const patient = hatchet.durableTask({
      name: 'patient',
      fn: async (_input, ctx) => {
        await ctx.sleepFor('10ms', { label: 'a moment' });
        return {};
      },
    });
    const worker = await hatchet.worker('attempts', { handleKill: false, workflows: [flaky, failing, patient] });
    const running = worker.start();
    await worker.waitUntilReady();
    const traceId = await trace.getTracer('shop').startActiveSpan('tries', async (span) => {
      await flaky.run({});
      await expect(failing.run({})).rejects.toBeInstanceOf(RunFailedError);
      await patient.run({});
      span.end();
      return span.spanContext().traceId;
    });
    await vi.waitFor(async () => expect(await spansOf(traceId)).toHaveLength(9));
    const attempts = (await spansOf(traceId)).filter(({ name }) => name.startsWith('hatchet.start_step_run'));
    expect(
      attempts.map(({ name, attempt, status, statusMessage }) => [name.slice(23), attempt, status, statusMessage]),
    ).toEqual([
      ['flaky:flaky', 0, 2, 'the first time'],
      ['flaky:flaky', 1, 1, null],
      ['failing:failing', 0, 2, 'each time'],
      ['patient:patient', 0, 1, null],
    ]);
    const wait = (await spansOf(traceId)).find(({ name }) => name === 'hatchet.durable.wait_for');
    expect(JSON.parse(wait?.attributes ?? '{}')).toMatchObject({ 'hatchet.label': 'a moment' });
    // Inputs may hold secrets: spans have them only where somebody has asked for that.
    expect(attempts.map(({ attributes }) => attributes).join()).not.toContain('payload');
    await worker.stop();
    await running;
  });

  it('of a call that is refused say so, and the call fails as it does without them', async () => {
    const nobody = hatchet.task({ name: 'nobody', fn: () => ({}) });
    let traceId = '';
    await expect(
      trace.getTracer('shop').startActiveSpan('refused', async (span) => {
        ({ traceId } = span.spanContext());
        try {
          await nobody.run({ big: 'x'.repeat(5_000_000) });
        } finally {
          span.end();
        }
      }),
    ).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    await vi.waitFor(async () => expect(await spansOf(traceId)).toHaveLength(2));
    expect((await spansOf(traceId)).find(({ name }) => ofHatchet.test(name))).toMatchObject({
      status: 2,
      statusMessage: expect.stringContaining('the limit is'),
    });
  });
});

describe("the published SDK's instrumentation", () => {
  it('makes one tree of a trigger, a DAG, a child and an event, here as on a cluster', async () => {
    fixture.spawn('traces/published.cjs');
    const { clients } = fixture;
    await vi.waitFor(
      async () => {
        const { rows } = await clients.call(clients.monitor, clients.monitor.listWorkers, { all: false });
        const { status } = rows.find(({ name }) => name === 'published-traces') ?? {};
        expect(status).toBe(WorkerStatus.WORKER_STATUS_ACTIVE);
      },
      { timeout: 30_000 },
    );
    // Its task is triggered by our SDK: the trace goes on from one to the other.
    const traceId = await trace.getTracer('shop').startActiveSpan('mixed', async (span) => {
      await hatchet.run('published-order', { n: 1 });
      span.end();
      return span.spanContext().traceId;
    });
    await vi.waitFor(async () => expect(await spansOf(traceId)).toHaveLength(8), { timeout: 20_000 });
    expect(treeOf(await spansOf(traceId))).toEqual({
      mixed: {
        'hatchet.run_workflow': {
          'hatchet.start_step_run.published-order:first': {},
          'hatchet.start_step_run.published-order:second': {
            'hatchet.run_workflow': { 'hatchet.start_step_run.published-child:published-child': {} },
            'hatchet.push_event': { 'hatchet.start_step_run.published-told:published-told': {} },
          },
        },
      },
    });
  });
});
