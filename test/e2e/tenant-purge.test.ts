import { createHmac } from 'node:crypto';
import type { Pool } from 'pg';
import { status, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openTenantAdministration, type TenantAdministration } from '../../engine/index.ts';
import {
  ConcurrencyLimitStrategy,
  type Hatchet,
  Or,
  RateLimitDuration,
  SleepCondition,
  UserEventCondition,
  type Worker,
} from '../../sdk/index.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';
import { GrpcClients } from '../helpers/grpc-client.ts';
import { makeNeighbour } from '../helpers/neighbour.ts';
import { shardOf } from '../../engine/model/ids/shard-of.ts';
import { newId } from '../../engine/model/ids/uuid.ts';
import { patient } from '../helpers/patient.ts';
import { clientOf, untilPurged } from '../helpers/purged-tenant.ts';
import { idsOf, rowsWith, tablesWithIds } from '../helpers/tenant-rows.ts';
import { tenantOf } from '../helpers/tenant.ts';

interface Life {
  hatchet: Hatchet;
  worker: Worker;
  running: Promise<void>;
  /** Lets the running tasks end. */
  finish: () => void;
  again: () => Promise<unknown>;
}

/** A tenant with something in every table: tasks that run, wait, sleep and have ended, and all that starts runs. */
async function live(hatchet: Hatchet, pool: Pool): Promise<Life> {
  let finish = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const runs = hatchet.task({
    name: 'runs',
    retries: 3,
    concurrency: { expression: 'input.key', maxRuns: 1, limitStrategy: ConcurrencyLimitStrategy.GROUP_ROUND_ROBIN },
    fn: async (_input: { key: string }, ctx) => {
      await ctx.log('begun');
      await ctx.putStream('begun');
      await released;
      return {};
    },
  });
  const quick = hatchet.task({
    name: 'quick',
    onEvents: ['started'],
    idempotency: { expression: 'input.n', strategy: 'ttl', ttlMs: 3_600_000 },
    fn: (input: { n: string }) => input,
  });
  const mail = hatchet.task({ name: 'mail', rateLimits: [{ staticKey: 'mail', units: 1 }], fn: () => ({}) });
  const fails = hatchet.task({
    name: 'fails',
    fn: () => {
      throw new Error('as it should');
    },
  });
  const waits = hatchet.durableTask({
    name: 'waits',
    fn: async (_input: object, ctx) => {
      await ctx.memo(['first'], () => 1);
      await quick.run({ n: 'child' });
      return await ctx.waitForEvent<{ word: string }>('word');
    },
  });
  const flow = hatchet.workflow({ name: 'flow' });
  const first = flow.task({ name: 'first', fn: () => ({}) });
  flow.task({
    name: 'approved',
    parents: [first],
    waitFor: Or(new UserEventCondition('approve', 'true'), new SleepCondition('1h')),
    fn: () => ({}),
  });
  await hatchet.ratelimits.upsert({ key: 'mail', limit: 1, duration: RateLimitDuration.YEAR });
  const worker = await hatchet.worker('own', { workflows: [runs, quick, fails, mail, waits, flow], handleKill: false });
  const running = worker.start();
  await worker.waitUntilReady();
  for (const key of ['a', 'a', 'b']) await runs.runNoWait({ key });
  await (
    await quick.runNoWait({ n: 'one' })
  ).output;
  await expect(fails.run({})).rejects.toThrow('as it should');
  for (let sent = 0; sent < 2; sent++) await mail.runNoWait({});
  await waits.runNoWait({});
  await flow.runNoWait({});
  await hatchet.events.push('started', { n: 'by an event' });
  const workflowId = (await hatchet.workflows.get('quick')).metadata.id;
  await hatchet.crons.create('quick', { name: 'yearly', expression: '0 0 1 1 *' });
  await hatchet.scheduled.create('quick', { triggerAt: new Date(Date.now() + 86_400_000) });
  await hatchet.scheduled.create('quick', { triggerAt: new Date(Date.now() + 500), input: { n: 'at a time' } });
  await hatchet.filters.create({ workflowId, scope: 's', expression: 'true' });
  await hatchet.webhooks.create({
    name: 'hook',
    sourceName: 'GENERIC',
    eventKeyExpression: '"hooked"',
    auth: { algorithm: 'SHA256', encoding: 'HEX', signatureHeaderName: 'x-signature', signingSecret: 'secret' },
  });
  expect((await deliver(hatchet)).status).toBe(200);
  // Nothing is on its way any more.
  const { tenantId } = hatchet;
  await vi.waitFor(async () => {
    const { rows } = await pool.query<{
      fired: number;
      waiting: number;
      listening: number;
      sent: number;
      live: number;
    }>(
      `SELECT (SELECT count(*)::int FROM schedule WHERE tenant_id = $1 AND run_id IS NOT NULL) AS fired, (SELECT count(*)::int FROM wait WHERE tenant_id = $1) AS waiting,
        (SELECT count(*)::int FROM durable_listen WHERE tenant_id = $1) AS listening, (SELECT count(*)::int FROM stream_chunk WHERE tenant_id = $1) AS sent,
        (SELECT count(*)::int FROM live WHERE tenant_id = $1) AS live`,
      [tenantId],
    );
    // Three that run or wait for their key, one that waits for mail, one durable, one that waits for its approval.
    expect(rows).toEqual([{ fired: 1, waiting: 1, listening: 1, sent: 2, live: 6 }]);
  }, patient);
  // The row of an event that wakes many is there for moments: this one is of an engine that ended in the middle.
  await pool.query(
    `INSERT INTO event_waking (shard, seq, event_id, tenant_id, key) SELECT $2, count(*), $3, $1, 'gone' FROM event_waking`,
    [tenantId, shardOf(tenantOf(tenantId)), newId()],
  );
  // Our own SDK sends no spans.
  await pool.query(
    `INSERT INTO span (id, tenant_id, trace_id, span_id, attempt, name, kind, status, start_ns, duration_ns, service, scope_name, scope_version, attributes, resource, events, links)
     VALUES ($1, $2, '1', '2', 0, 'work', 1, 0, 1, 1, '', '', '', '{}', '{}', '[]', '[]')`,
    [newId(), tenantId],
  );
  return {
    hatchet,
    worker,
    running,
    finish,
    again: async () => (await quick.runNoWait({ n: crypto.randomUUID() })).output,
  };
}

function deliver(hatchet: Hatchet): Promise<Response> {
  const body = JSON.stringify({ to: hatchet.tenantId });
  return fetch(hatchet.webhooks.url('hook'), {
    method: 'POST',
    body,
    headers: { 'x-signature': createHmac('sha256', 'secret').update(body).digest('hex') },
  });
}

describe('a tenant that is deleted while its runs run', () => {
  const fixture = engineFixture('purge');
  let pool: Pool;
  let tenants: TenantAdministration;
  let going: Life;
  let staying: Life;
  const lives: Life[] = [];
  let token: string;

  beforeAll(async () => {
    const { engine } = fixture;
    ({ pool } = fixture.database);
    tenants = openTenantAdministration(fixture.database.url);
    ({ token } = await makeNeighbour(pool, fixture.dataDir));
    lives.push((going = await live(clientOf(engine, token), pool)));
    lives.push((staying = await live(clientOf(engine, engine.token), pool)));
  });

  afterAll(async () => {
    for (const life of lives) {
      life.finish();
      await life.worker.stop();
      await life.running.catch(() => undefined);
      life.hatchet.close();
    }
    await tenants.stop();
  });

  it('leaves no row in any table but the audit log, and all of its neighbour’s in the same shard', async () => {
    const goingIds = await idsOf(pool, going.hatchet.tenantId);
    const stayingIds = await idsOf(pool, staying.hatchet.tenantId);
    expect([...goingIds].filter((id) => stayingIds.has(id))).toEqual([]);
    const before = await rowsWith(pool, stayingIds);
    // A table that this tenant has nothing in would be covered by nothing. A staged payload is gone with its command's answer,
    // and leases are the engine's own.
    const filled = await rowsWith(pool, goingIds);
    const others = ['staged_payload', 'shard_owner', 'replica'];
    expect((await tablesWithIds(pool)).filter((table) => !others.includes(table) && !filled.has(table))).toEqual([]);

    const watching = new GrpcClients(fixture.engine.grpc, token);
    let ending = '';
    const watched = watching.monitor.streamOverview({}, watching.metadata());
    watched.on('data', () => undefined);
    watched.on('error', (error: ServiceError) => (ending = `${status[error.code]}: ${error.details}`));
    expect(await tenants.delete('stranger')).toBe(true);
    expect(await tenants.delete('stranger')).toBe(false);
    await vi.waitFor(
      () => expect(going.hatchet.workflows.list()).rejects.toThrow('the token is not valid here'),
      patient,
    );
    await vi.waitFor(async () => expect((await deliver(going.hatchet)).status).toBe(403), patient);
    await vi.waitFor(async () => {
      await staying.again();
      expect([...(await rowsWith(pool, goingIds)).keys()]).toEqual(['audit_line']);
    }, untilPurged);
    expect(ending).toMatch(/^UNAUTHENTICATED: the token was revoked/);

    watching.close();
    const { rows: lines } = await pool.query<{ action: string }>(
      'SELECT action FROM audit_line WHERE tenant_id = $1 ORDER BY id DESC LIMIT 2',
      [going.hatchet.tenantId],
    );
    expect(lines.map(({ action }) => action)).toEqual(['purge of the deleted tenant', 'hatchet tenants delete']);
    const after = await rowsWith(pool, stayingIds);
    for (const [table, rows] of before)
      expect([table, after.get(table)?.filter((row) => rows.includes(row))]).toEqual([table, rows]);
  });

  it('leaves its name to another', async () => {
    const again = await tenants.create('stranger');
    expect(again.id).not.toBe(going.hatchet.tenantId);
    expect((await tenants.list()).map(({ name }) => name)).toEqual(['default', 'stranger']);
    await staying.again();
  });
});
