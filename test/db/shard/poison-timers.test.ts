import { Client, Pool } from 'pg';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Logger } from '../../../engine/log.ts';
import { shardOf } from '../../../engine/model/shard-of.ts';
import { newId } from '../../../engine/model/uuid.ts';
import { Timekeeper } from '../../../engine/shard/timekeeper.ts';
import { insertTenant, OwnerWorld } from '../../helpers/owner-world.ts';
import { patient } from '../../helpers/patient.ts';
import { createTestDatabase, type TestDatabase } from '../../helpers/test-database.ts';

/** As `stepOf` sets it, and a little: a shard's time may be microseconds ahead of the clock. */
const scheduleTimeoutMs = 300_002;

let database: TestDatabase;
let client: Client;

beforeAll(async () => {
  database = await createTestDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await database.drop();
});

beforeEach(async () => {
  await client.query('CREATE SEQUENCE tries');
});

afterEach(async () => {
  await client.query('DROP FUNCTION IF EXISTS refuse CASCADE');
  await client.query('DROP SEQUENCE tries');
});

/** Postgres refuses these rows from now on, and counts how often they came: a sequence keeps its value through a rollback. */
async function refuse(table: 'history' | 'schedule', condition: string): Promise<void> {
  await client.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('tries'); RAISE EXCEPTION 'no such row here'; END $$`);
  await client.query(`CREATE TRIGGER refuse BEFORE ${table === 'history' ? 'INSERT' : 'UPDATE'} ON ${table} FOR EACH ROW WHEN (${condition}) EXECUTE FUNCTION refuse()`);
}

async function tries(): Promise<number> {
  const { rows } = await client.query<{ n: number }>('SELECT CASE WHEN is_called THEN last_value ELSE 0 END::integer AS n FROM tries');
  return rows[0]?.n ?? -1;
}

async function accept(): Promise<void> {
  await client.query('DROP FUNCTION refuse CASCADE');
}

/** A clock that only the test moves. */
class Hands {
  #us = Date.now() * 1000;

  nowUs(): number {
    return this.#us;
  }

  pass(ms: number): void {
    this.#us += ms * 1000;
  }
}

function keptLog(): { log: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  return { log: pino({ level: 'error' }, { write: (line: string) => void lines.push(JSON.parse(line)) }), lines };
}

async function ended(tenantId: string): Promise<number> {
  return (await client.query<{ n: number }>('SELECT count(*)::integer AS n FROM run_end WHERE tenant_id = $1', [tenantId])).rows[0]?.n ?? -1;
}

describe('a tick that Postgres refuses', () => {
  it('is tried after pauses that double, which nothing else in its shard cuts short, and no other shard has', async () => {
    const clock = new Hands();
    const { log, lines } = keptLog();
    const world = await OwnerWorld.start(database.url, { clock, log });
    const { owner, tenantId } = world;
    let other = newId();
    while (shardOf(other) === shardOf(tenantId)) other = newId();
    await insertTenant(database.url, other);
    try {
      await world.put();
      await world.put(0, other);
      await refuse('history', `NEW.tenant_id = '${tenantId}' AND NEW.kinds LIKE '%H%'`);
      await world.trigger();
      clock.pass(scheduleTimeoutMs);
      owner.wakeForTimers();
      await vi.waitFor(async () => expect(await tries()).toBe(1), patient);
      for (const [n, pauseMs] of [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000].entries()) {
        // As often as the event loop turns, with commands in between and another deadline that becomes due.
        await world.trigger();
        clock.pass(pauseMs - 1);
        owner.wakeForTimers();
        await world.trigger();
        owner.wakeForTimers();
        await owner.idle();
        expect(await tries()).toBe(n + 1);
        clock.pass(2);
        owner.wakeForTimers();
        await owner.idle();
        expect(await tries()).toBe(n + 2);
      }
      expect(lines.map(({ code, fails, pauseMs, shard }) => ({ code, fails, pauseMs, shard })).slice(0, 3)).toEqual([1_000, 2_000, 4_000].map((pauseMs, n) => ({ code: 'COMMAND_FAILED', fails: n + 1, pauseMs, shard: shardOf(tenantId) })));
      // Another shard's deadline is on time in the middle of such a pause.
      await world.trigger({ tenantId: other });
      clock.pass(scheduleTimeoutMs - 30_000);
      owner.wakeForTimers();
      await owner.idle();
      expect(lines.at(-1)).toMatchObject({ pauseMs: 60_000 });
      const held = await tries();
      clock.pass(30_000);
      owner.wakeForTimers();
      await owner.idle();
      expect([await ended(other), await ended(tenantId), await tries()]).toEqual([1, 0, held]);
      // It ends when it works, and the next failure begins with the shortest pause again.
      await accept();
      const waiting = world.memory().length;
      clock.pass(60_002);
      owner.wakeForTimers();
      await vi.waitFor(async () => expect(await ended(tenantId)).toBe(waiting), patient);
      await refuse('history', `NEW.tenant_id = '${tenantId}' AND NEW.kinds LIKE '%H%'`);
      await world.trigger();
      clock.pass(scheduleTimeoutMs);
      owner.wakeForTimers();
      await owner.idle();
      expect(lines.at(-1)).toMatchObject({ fails: 1, pauseMs: 1_000 });
    } finally {
      await owner.stop();
    }
  });
});

describe('a timer that Postgres refuses', () => {
  it('is tried after pauses that grow, and holds up no other timer', async () => {
    const { log, lines } = keptLog();
    const world = await OwnerWorld.start(database.url, {
      timersDue: (state, nowUs) => timekeeper.due(state, nowUs),
    });
    const pool = new Pool({ connectionString: database.url, max: 1 });
    const { owner, tenantId } = world;
    const timekeeper = new Timekeeper({ owner, pool, log });
    try {
      await world.put();
      const workflowId = owner.stateOf(tenantId)?.latestVersion(tenantId, 'single')?.workflowId ?? '';
      const schedule = () => ({ id: newId(), tenantId, workflowId, input: '{}', metadata: '{}', priority: null, dueUs: owner.nowUs, parentTaskId: null });
      const schedules = [schedule(), schedule(), schedule()];
      await refuse('schedule', `NEW.id = '${schedules[1]?.id}'`);
      const startedMs = performance.now();
      await owner.submit(tenantId, { kind: 'putSchedules', schedules });
      await vi.waitFor(() => expect(lines).toHaveLength(1), patient);
      const triesOfOne = await tries(); // alone, and with the others of its batch
      // Other timers of the shard go on, and do not wake it.
      await owner.submit(tenantId, { kind: 'putSchedules', schedules: [schedule()] });
      await vi.waitFor(() => expect(owner.stateOf(tenantId)?.schedules.size).toBe(1), patient);
      expect(await tries()).toBe(triesOfOne);
      await vi.waitFor(() => expect(lines).toHaveLength(3), patient);
      expect(await tries()).toBe(triesOfOne + 2);
      expect(performance.now() - startedMs).toBeGreaterThanOrEqual(3_000 - 10);
      expect(lines.map(({ code, fails, pauseMs, schedule }) => ({ code, fails, pauseMs, schedule }))).toEqual([1_000, 2_000, 4_000].map((pauseMs, n) => ({ code: 'COMMAND_FAILED', fails: n + 1, pauseMs, schedule: schedules[1]?.id })));
      await accept();
      // The plan is ahead of the database by what is being committed.
      await vi.waitFor(async () => expect((await client.query('SELECT FROM run WHERE tenant_id = $1', [tenantId])).rowCount).toBe(4), patient);
      expect(owner.stateOf(tenantId)?.schedules.size).toBe(0);
    } finally {
      await owner.stop();
      await pool.end();
    }
  });
});
