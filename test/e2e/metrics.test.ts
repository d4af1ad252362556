import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { catalogue } from '../../engine/metrics/catalogue.ts';
import { deployedQueries } from '../helpers/deployed-queries.ts';
import { engineFixture, engineForTest } from '../helpers/engine-fixture.ts';
import { makeNeighbour } from '../helpers/neighbour.ts';
import { metricsOf } from '../helpers/promql.ts';
import { Scrape } from '../helpers/scrape.ts';
import { Hatchet } from '../../sdk/index.ts';

/** A load of which every number is known: at its end nothing moves until a test lets it. */
const fixture = engineFixture('metrics', { metricsPort: 0 });
let stranger: { tenantId: string; token: string };
let tenantId: string;
let letGo: () => void;
const patience = { timeout: 20_000, interval: 100 };

const byText = (a: string, b: string): number => (a < b ? -1 : 1);

function metricsUrl(): string {
  const { metrics } = fixture.engine;
  if (metrics === undefined) throw new Error('the engine has no port for metrics');
  return `http://${metrics.host}:${metrics.port}/metrics`;
}

const scrape = (): Promise<Scrape> => Scrape.of(metricsUrl());
const tenantUrl = (id: string): string =>
  `http://127.0.0.1:${fixture.engine.http.port}/api/v1/tenants/${id}/prometheus-metrics`;

beforeAll(async () => {
  const { hatchet } = fixture;
  ({ tenantId } = hatchet);
  stranger = await makeNeighbour(fixture.database.pool, fixture.dataDir);
  const gate = new Promise<void>((resolve) => (letGo = resolve));

  const plain = hatchet.task({ name: 'plain', fn: (input: { n: number }) => ({ n: input.n }) });
  const failing = hatchet.task({
    name: 'failing',
    retries: 1,
    fn: (): object => {
      throw new Error('it does not work');
    },
  });
  const flaky = hatchet.task({
    name: 'flaky',
    retries: 2,
    fn: (_input: object, ctx) => {
      if (ctx.retryCount() === 0) throw new Error('not at first');
      return { done: true };
    },
  });
  const steps = hatchet.workflow({ name: 'steps' });
  const first = steps.task({ name: 'first', fn: () => ({ n: 1 }) });
  steps.task({ name: 'second', parents: [first], fn: () => ({ n: 2 }) });
  const held = hatchet.task({ name: 'held', fn: async () => (await gate, {}) });
  const keyed = hatchet.task({
    name: 'keyed',
    concurrency: { expression: 'input.key', maxRuns: 2, limitStrategy: 'GROUP_ROUND_ROBIN' },
    fn: async (_input: { key: string }) => (await gate, {}),
  });
  const metered = hatchet.task({ name: 'metered', rateLimits: [{ staticKey: 'units', units: 3 }], fn: () => ({}) });
  await hatchet.ratelimits.upsert({ key: 'units', limit: 10, duration: 'DAY' });
  await fixture.serve('many', {
    workflows: [plain, failing, flaky, steps, keyed, metered],
    slots: 20,
    labels: { zone: 'a' },
  });
  await fixture.serve('one', { workflows: [held], slots: 1, labels: { zone: 'b' } });

  await Promise.all([
    ...[1, 2, 3, 4, 5, 6, 7].map((n) => plain.run({ n })),
    ...[1, 2].map(() => failing.run({}).catch(() => undefined)),
    ...[1, 2, 3].map(() => flaky.run({})),
    steps.run({}),
  ]);
  await held.runNoWait({});
  for (const product of ['search', 'search', 'mail', 'mail\n"quoted"\\'])
    await held.runNoWait({}, { additionalMetadata: { prom_product: product, other: 'x' } });
  await (await held.runNoWait({})).cancel();
  for (const key of ['a', 'a', 'a', 'a', 'b']) await keyed.runNoWait({ key });
  for (let run = 0; run < 5; run++) await metered.runNoWait({});
  await vi.waitFor(async () => {
    const now = await scrape();
    expect(now.value('hatchet_tenant_running_tasks', { workflow_name: 'keyed' })).toBe(3);
    expect(now.value('hatchet_tenant_cancelled_tasks', { tenant_id: tenantId })).toBe(1);
    expect(now.value('hatchet_tenant_rate_limit_units_left', { key: 'units' })).toBe(1);
    expect(now.value('hatchet_tenant_running_tasks', { workflow_name: 'metered' })).toBe(0);
    expect(now.value('hatchet_tenant_running_tasks', { workflow_name: 'held' })).toBe(1);
  }, patience);
}, 60_000);
afterAll(() => letGo());

describe('the metrics of an engine', () => {
  const eventsOf = (now: Scrape, workflow_name: string): Record<string, number> =>
    Object.fromEntries(
      now
        .samples('hatchet_tenant_tasks_by_workflow_total', { tenant_id: tenantId, workflow_name })
        .map(({ labels, value }) => [labels?.['event'], Number(value)] as const)
        .filter(([, value]) => value > 0),
    );

  it('count what happened to each workflow’s tasks', async () => {
    const now = await scrape();
    expect(eventsOf(now, 'plain')).toEqual({ created: 7, assigned: 7, succeeded: 7 });
    expect(eventsOf(now, 'failing')).toEqual({ created: 2, assigned: 4, failed: 2, retried: 2 });
    expect(eventsOf(now, 'flaky')).toEqual({ created: 3, assigned: 6, succeeded: 3, retried: 3 });
    expect(eventsOf(now, 'steps')).toEqual({ created: 2, assigned: 2, succeeded: 2 });
    expect(eventsOf(now, 'held')).toEqual({ created: 6, assigned: 1, cancelled: 1 });
    expect(eventsOf(now, 'keyed')).toEqual({ created: 5, assigned: 3 });
    expect(eventsOf(now, 'metered')).toMatchObject({ created: 5, assigned: 3, succeeded: 3 });
  });

  it('have Hatchet’s names for a tenant and for all', async () => {
    const now = await scrape();
    const all = { created: 30, assigned: 26, succeeded: 15, failed: 2, cancelled: 1, retried: 5, skipped: 0 };
    for (const [event, count] of Object.entries(all)) {
      expect(now.value(`hatchet_tenant_${event}_tasks`, { tenant_id: tenantId }), event).toBe(count);
      expect(now.value(`hatchet_${event}_tasks_total`), event).toBe(count);
    }
    expect(now.value('hatchet_tenant_queued_to_assigned')).toBe(21);
    expect(now.value('hatchet_tenant_queued_to_assigned_time_seconds_count')).toBe(26);
    expect(now.value('hatchet_queued_to_assigned_seconds_count')).toBe(26);
  });

  it('measure waits, attempts and runs', async () => {
    const now = await scrape();
    const waits = 'hatchet_tenant_queued_to_assigned_time_seconds_by_workflow_count';
    expect(now.value(waits, { workflow_name: 'flaky' })).toBe(6);
    expect(now.value('hatchet_tenant_task_run_seconds_count', { workflow_name: 'flaky' })).toBe(6);
    expect(now.value('hatchet_tenant_task_run_seconds_count', { workflow_name: 'held' })).toBe(0);
    // Buckets are cumulative, and the last has all.
    const buckets = now.samples(waits.replace('_count', '_bucket'), { workflow_name: 'flaky' });
    const counts = buckets.map(({ value }) => Number(value));
    const bounds = '0.01 0.02 0.05 0.1 0.5 1 2 5 15 60 300 1800 +Inf';
    expect(buckets.map(({ labels }) => labels?.['le'])).toEqual(bounds.split(' '));
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(counts.at(-1)).toBe(6);
    const duration = (workflow_name: string, status: string): number | undefined =>
      now.value('hatchet_tenant_workflow_duration_milliseconds_count', { workflow_name, status });
    expect(duration('flaky', 'COMPLETED')).toBe(3);
    expect(duration('failing', 'FAILED')).toBe(2);
    expect(duration('steps', 'COMPLETED')).toBe(1);
  });

  it('tell how deep queues are, also by metadata keys that begin with prom_', async () => {
    const now = await scrape();
    const depth = (workflow_name: string): number | undefined =>
      now.value('hatchet_tenant_queue_size', { tenant_id: tenantId, workflow_name });
    expect(depth('held')).toBe(4);
    expect(depth('keyed')).toBe(2);
    expect(depth('metered')).toBe(2);
    expect(depth('plain')).toBe(0);
    const pairs = now.samples('hatchet_tenant_additional_metadata_queue_size', {
      tenant_id: tenantId,
      queue: 'held:held',
    });
    expect(pairs.map(({ labels }) => labels?.['key'])).toEqual(Array(3).fill('prom_product'));
    expect(Object.fromEntries(pairs.map(({ labels, value }) => [labels?.['value'], Number(value)]))).toEqual({
      search: 2,
      mail: 1,
      'mail\n"quoted"\\': 1,
    });
    expect(now.value('hatchet_tenant_queue_oldest_seconds', { queue: 'held:held' })).toBeGreaterThan(0);
    expect(now.value('hatchet_tenant_queue_oldest_seconds', { queue: 'plain:plain' })).toBe(0);
  });

  it('tell of workers, slots, rate limits and keys', async () => {
    const now = await scrape();
    const own = { tenant_id: tenantId };
    expect(now.value('hatchet_tenant_workers', { ...own, state: 'connected' })).toBe(2);
    expect(now.value('hatchet_tenant_workers', { ...own, state: 'silent' })).toBe(0);
    expect(now.value('hatchet_tenant_slots', own)).toBe(21);
    expect(now.value('hatchet_tenant_used_slots', own)).toBe(4);
    expect(now.value('hatchet_tenant_used_worker_slots', { ...own, worker_name: 'many' })).toBe(3);
    expect(now.value('hatchet_tenant_available_worker_slots', { ...own, worker_name: 'one' })).toBe(0);
    const label = { ...own, label_key: 'zone', label_value: 'a' };
    expect(now.value('hatchet_tenant_worker_label_slots', label)).toBe(20);
    expect(now.value('hatchet_tenant_available_worker_label_slots', label)).toBe(17);
    expect(now.value('hatchet_tenant_rate_limit_units', { ...own, key: 'units' })).toBe(10);
    expect(now.value('hatchet_tenant_rate_limit_units_left', { ...own, key: 'units' })).toBe(1);
    expect(now.value('hatchet_tenant_rate_limit_waiting_tasks', { ...own, key: 'units' })).toBe(2);
    const key = { ...own, workflow_name: 'keyed', key: 'a' };
    expect(now.value('hatchet_tenant_concurrency_places', key)).toBe(2);
    expect(now.value('hatchet_tenant_concurrency_held_places', key)).toBe(2);
    expect(now.value('hatchet_tenant_concurrency_waiting', key)).toBe(2);
  });

  it('tell of transactions, the lease, Postgres and the process', async () => {
    const now = await scrape();
    expect(now.value('hatchet_shards')).toBe(64);
    expect(now.value('hatchet_transactions_total')).toBeGreaterThan(5);
    expect(now.value('hatchet_transaction_seconds_count')).toBe(now.value('hatchet_transactions_total'));
    expect(now.value('hatchet_transaction_rows_total')).toBeGreaterThan(90);
    expect(now.value('hatchet_lease_age_seconds')).toBeLessThan(30);
    expect(now.value('hatchet_postgres_errors_total', { kind: 'lost' })).toBe(0);
    expect(now.value('hatchet_engine_info', { role: 'engine' })).toBe(1);
    expect(now.value('process_resident_memory_bytes')).toBeGreaterThan(0);
    expect(now.value('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThanOrEqual(0);
  });

  it('are all that the dashboard, the alerts and the autoscaler ask for', async () => {
    const { names } = await scrape();
    const asked = Object.values(deployedQueries).flatMap((queries) => queries.flatMap(metricsOf));
    expect(asked.filter((name) => !names.includes(name))).toEqual([]);
  });

  it('are all that the catalogue has, and no others', async () => {
    const { text } = await scrape();
    const own = [...text.matchAll(/^# TYPE (hatchet_\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`);
    const known = Object.entries(catalogue).map(([name, { type }]) => `${name} ${type}`);
    expect(own.toSorted(byText)).toEqual(known.toSorted(byText));
  });

  it('come from /metrics alone, and not to web pages', async () => {
    expect((await fetch(metricsUrl().replace('/metrics', '/'))).status).toBe(404);
    expect((await fetch(metricsUrl(), { headers: { origin: 'https://example.com' } })).status).toBe(403);
    expect((await fetch(`http://127.0.0.1:${fixture.engine.http.port}/metrics`)).status).toBe(404);
  });
});

describe('the metrics of a tenant', () => {
  it('are its own, and need its token', async () => {
    const own = await Scrape.of(tenantUrl(tenantId), fixture.token);
    expect(own.value('hatchet_tenant_created_tasks', { tenant_id: tenantId })).toBe(30);
    expect(own.value('hatchet_tenant_queue_size', { workflow_name: 'held' })).toBe(4);
    expect(own.names.filter((name) => !name.startsWith('hatchet_tenant_'))).toEqual([]);

    const other = Hatchet.init({
      token: stranger.token,
      hostPort: `127.0.0.1:${fixture.engine.grpc.port}`,
      apiUrl: `http://127.0.0.1:${fixture.engine.http.port}`,
    });
    const task = other.task({ name: 'theirs', fn: () => ({}) });
    const worker = await other.worker('theirs', { workflows: [task], handleKill: false });
    const running = worker.start();
    await worker.waitUntilReady();
    await task.run({});
    const theirs = await Scrape.of(tenantUrl(stranger.tenantId), stranger.token);
    await worker.stop();
    await running;
    other.close();
    const tenants = theirs.families.flatMap(({ metrics }) => metrics.map(({ labels }) => labels?.['tenant_id']));
    expect(new Set(tenants)).toEqual(new Set([stranger.tenantId]));
    expect(theirs.value('hatchet_tenant_succeeded_tasks')).toBe(1);
    expect(theirs.text).not.toContain('held');

    expect((await fetch(tenantUrl(tenantId))).status).toBe(401);
    const wrong = await fetch(tenantUrl(tenantId), { headers: { authorization: `Bearer ${stranger.token}` } });
    expect(wrong.status).toBe(404);
    // Both tenants are in one shard, and together in the engine's own.
    const all = await scrape();
    expect(all.samples('hatchet_tenant_created_tasks')).toHaveLength(2);
  });
});

describe('an engine without a port for metrics', () => {
  it('counts for tenants from their first call on, and knows the metadata of what is queued', async () => {
    const plainly = await engineForTest('metrics-off');
    const { hatchet } = plainly;
    expect(plainly.engine.metrics).toBeUndefined();
    const late = hatchet.task({ name: 'late', fn: () => ({}) });
    const worker = await plainly.serve('late', { workflows: [late] });
    await late.run({});
    await worker.pause();
    await late.runNoWait({}, { additionalMetadata: { prom_late: 'true' } });
    const url = `http://127.0.0.1:${plainly.engine.http.port}/api/v1/tenants/${hatchet.tenantId}/prometheus-metrics`;
    const of = (): Promise<Scrape> => Scrape.of(url, plainly.token);
    const before = await of();
    expect(before.value('hatchet_tenant_created_tasks')).toBeUndefined();
    expect(before.value('hatchet_tenant_queue_size', { workflow_name: 'late' })).toBe(1);
    await vi.waitFor(async () => {
      const now = await of();
      expect(now.value('hatchet_tenant_additional_metadata_queue_size', { key: 'prom_late', value: 'true' })).toBe(1);
    }, patience);
    await worker.unpause();
    await late.run({});
    const after = await of();
    expect(after.value('hatchet_tenant_created_tasks')).toBe(1);
    expect(after.value('hatchet_tenant_succeeded_tasks')).toBe(2);
  });
});
