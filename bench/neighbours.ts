/**
 * What a tenant feels of another in its shard that does its worst: loops in expressions, values that must be refused, inputs
 * of 4 MiB, a thousand streams. Prints one JSON object: trigger latency alone and beside each, and what was lost.
 * `npm run bench:neighbours [seconds a phase]`. Needs a build.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { Pool } from 'pg';
import { KeyRing } from '../engine/auth/key-ring.ts';
import { ensureTenant } from '../engine/auth/tenants.ts';
import { Tokens } from '../engine/auth/tokens.ts';
import { shardOf } from '../engine/model/shard-of.ts';
import { newId } from '../engine/model/uuid.ts';
import { AdminServiceClient, type CreateTaskOpts } from '../proto/gen/hatchet/contract/v1/workflows.ts';
import { WorkflowServiceClient } from '../proto/gen/hatchet/contract/workflows.ts';
import { MonitorServiceClient } from '../proto/gen/hatchet/monitor/v1/monitor.ts';
import { endProcess, launchEngine } from './launch-engine.ts';

const seconds = Number(process.argv[2] ?? 10);
/** Of the quiet tenant. */
const perSecond = 50;

class Tenant {
  readonly #metadata = new Metadata();
  readonly #admin: AdminServiceClient;
  readonly #workflows: WorkflowServiceClient;
  readonly #monitor: MonitorServiceClient;

  constructor(address: string, token: string) {
    this.#metadata.set('authorization', `bearer ${token}`);
    const options = { 'grpc.max_send_message_length': -1, 'grpc.use_local_subchannel_pool': 1 };
    this.#admin = new AdminServiceClient(address, credentials.createInsecure(), options);
    this.#workflows = new WorkflowServiceClient(address, credentials.createInsecure(), options);
    this.#monitor = new MonitorServiceClient(address, credentials.createInsecure(), options);
  }

  putWorkflow(name: string, task: Partial<CreateTaskOpts> = {}): Promise<unknown> {
    const only: CreateTaskOpts = { readableId: 'only', action: `${name}:only`, timeout: '60s', inputs: '{}', parents: [], retries: 0, rateLimits: [], workerLabels: {}, concurrency: [], isDurable: false, slotRequests: {}, ...task };
    return new Promise((resolve, reject) => {
      this.#admin.putWorkflow({ name, description: '', version: '', eventTriggers: [], cronTriggers: [], tasks: [only], concurrencyArr: [], defaultFilters: [] }, this.#metadata, (error, reply) => (error === null ? resolve(reply) : reject(error)));
    });
  }

  trigger(name: string, input = '{}', additionalMetadata = '{}'): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#workflows.triggerWorkflow({ name, input, additionalMetadata, desiredWorkerLabels: {} }, this.#metadata, (error, reply) => (error === null ? resolve(reply.workflowRunId) : reject(error)));
    });
  }

  watch(): () => void {
    const call = this.#monitor.streamQueues({}, this.#metadata);
    call.on('data', () => undefined);
    call.on('error', () => undefined);
    return () => call.cancel();
  }

  close(): void {
    for (const client of [this.#admin, this.#workflows, this.#monitor]) client.close();
  }
}

const refused = (error: ServiceError): undefined => void (error.code === undefined && process.stderr.write(`${String(error)}\n`));

async function repeat(until: AbortSignal, width: number, work: () => Promise<unknown>): Promise<void> {
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (!until.aborted) await work().catch(refused);
    }),
  );
}

function percentile(sorted: readonly number[], share: number): number {
  return Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 10) / 10;
}

const dataDir = mkdtempSync(join(tmpdir(), 'hatchet-neighbours-'));
const engine = await launchEngine(dataDir);
const pool = new Pool({ connectionString: engine.databaseUrl });
try {
  const quiet = new Tenant(engine.address, engine.token);
  const home = (await ensureTenant(pool, 'default')).id;
  let loudId = newId();
  while (shardOf(loudId) !== shardOf(home)) loudId = newId();
  await pool.query('INSERT INTO tenant (id, name) VALUES ($1, $2)', [loudId, 'loud']);
  const tokens = new Tokens(pool, await KeyRing.open(pool, { dataDir }));
  const loud = new Tenant(engine.address, await tokens.create({ tenantId: loudId, name: 'loud', addresses: { serverUrl: '', grpcBroadcastAddress: engine.address } }));
  await quiet.putWorkflow('quiet');
  await loud.putWorkflow('plain');
  await loud.putWorkflow('loops', { concurrency: [{ expression: 'input.l.all(a, input.l.all(b, input.l.all(c, a + b + c > 0))) ? "x" : "y"', maxRuns: 1 }] });

  const acknowledged: string[] = [];
  const measure = async (worst?: (until: AbortSignal) => Promise<void>): Promise<{ p50: number; p99: number; longest: number }> => {
    const stop = new AbortController();
    const beside = worst?.(stop.signal);
    if (beside !== undefined) await delay(1_000);
    const took: number[] = [];
    const calls: Promise<void>[] = [];
    const startedAt = performance.now();
    for (let n = 0; n < seconds * perSecond; n++) {
      await delay(Math.max(0, startedAt + (n * 1000) / perSecond - performance.now()));
      const sentAt = performance.now();
      calls.push(
        quiet.trigger('quiet').then((runId) => {
          took.push(performance.now() - sentAt);
          acknowledged.push(runId);
        }),
      );
    }
    await Promise.all(calls);
    stop.abort();
    await beside;
    took.sort((a, b) => a - b);
    return { p50: percentile(took, 0.5), p99: percentile(took, 0.99), longest: percentile(took, 1) };
  };

  const list = JSON.stringify({ l: Array.from({ length: 400 }, (_, n) => n + 1) });
  const large = JSON.stringify({ text: 'x'.repeat(4 * 1024 * 1024 - 100) });
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const worst: Record<string, (until: AbortSignal) => Promise<void>> = {
    loopingExpressions: (until) => repeat(until, 20, () => loud.trigger('loops', list)),
    poison: (until) => repeat(until, 20, () => loud.trigger('plain', Math.random() < 0.5 ? deep : '{"a":"\\u0000"}', '{"a":"\\ud800"}')),
    largePayloads: (until) => repeat(until, 4, () => loud.trigger('plain', large)),
    thousandStreams: async (until) => {
      const stops = Array.from({ length: 1_000 }, () => loud.watch());
      await repeat(until, 2, () => loud.trigger('plain'));
      for (const stop of stops) stop();
    },
  };
  await measure();
  await measure(); // the first phase warms up
  const alone = await measure();
  const beside: Record<string, { p50: number; p99: number; longest: number; ratio: number }> = {};
  for (const [name, work] of Object.entries(worst)) {
    const figures = await measure(work);
    beside[name] = { ...figures, ratio: Math.round((figures.p99 / alone.p99) * 10) / 10 };
    await delay(2_000);
  }
  const all = await measure(async (until) => {
    await Promise.all(Object.values(worst).map((work) => work(until)));
  });
  const { rows } = await pool.query<{ count: string }>('SELECT count(*) FROM unnest($1::uuid[]) AS u (id) JOIN run r ON r.id = u.id', [acknowledged]);
  process.stdout.write(`${JSON.stringify({ perSecond, seconds, alone, beside, allAtOnce: { ...all, ratio: Math.round((all.p99 / alone.p99) * 10) / 10 }, acknowledged: acknowledged.length, lost: acknowledged.length - Number(rows[0]?.count) }, null, 2)}\n`);
  quiet.close();
  loud.close();
} finally {
  await pool.end();
  await endProcess(engine.child);
  rmSync(dataDir, { recursive: true, force: true });
}
