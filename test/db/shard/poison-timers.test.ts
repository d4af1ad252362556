import { waitFingerprint } from '../../../engine/model/durable/fingerprint.ts';
import { type Client, Pool } from 'pg';
import { pino } from 'pino';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Logger } from '../../../engine/base/log.ts';
import { type DurableCondition } from '../../../engine/model/durable/durable.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import type { DurableAsk } from '../../../engine/model/durable/durable-operation.ts';
import type { Owner } from '../../../engine/shard/owner.ts';
import { prepareRun } from '../../../engine/shard/prepare/prepare-run.ts';
import { DueTimers } from '../../../engine/shard/fire-crons-and-schedules.ts';
import { OwnerWorld } from '../../helpers/owner-world.ts';
import { patient } from '../../helpers/patient.ts';
import { stepOf, workflowOf } from '../../helpers/planner-world.ts';
import { databaseForTest, type DatabaseFixture } from '../../helpers/database-fixture.ts';
import type { TenantId } from '../../../engine/model/ids/tenant-id.ts';

/** As `stepOf` sets it, and a little: a shard's time may be microseconds ahead of the clock. */
const scheduleTimeoutMs = 300_002;

let database: DatabaseFixture;
let client: Client;

// A database each: a shard's time never goes back, and these tests move it.
beforeEach(async () => {
  database = await databaseForTest();
  ({ client } = database);
  await client.query('CREATE SEQUENCE tries');
});

/** Postgres refuses these rows from now on, and counts how often they came: a sequence keeps its value through a rollback. */
async function refuse(table: 'history' | 'schedule' | 'durable_result', condition: string): Promise<void> {
  await client.query(
    `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('tries'); RAISE EXCEPTION 'no such row here'; END $$`,
  );
  await client.query(
    `CREATE TRIGGER refuse BEFORE ${table === 'schedule' ? 'UPDATE' : 'INSERT'} ON ${table} FOR EACH ROW WHEN (${condition}) EXECUTE FUNCTION refuse()`,
  );
}

async function tries(): Promise<number> {
  const { rows } = await client.query<{ n: number }>(
    'SELECT CASE WHEN is_called THEN last_value ELSE 0 END::integer AS n FROM tries',
  );
  return rows[0]?.n ?? -1;
}

async function accept(): Promise<void> {
  await client.query('DROP FUNCTION refuse CASCADE');
}

function sleepOf(ms: number): DurableAsk {
  const conditions: DurableCondition[] = [{ kind: 'sleep', ms, duration: `${ms}ms`, group: 0, dataKey: 's' }];
  return {
    kind: 'wait',
    fingerprint: waitFingerprint(conditions),
    asked: { kind: 'wait', conditions, label: null },
  };
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

/** Time goes by, and what it brings at once is done. */
async function pass(owner: Owner, clock: Hands, ms: number): Promise<void> {
  clock.pass(ms);
  owner.wakeForTimers();
  await owner.idle();
}

function keptLog(): { log: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  return { log: pino({ level: 'error' }, { write: (line: string) => void lines.push(JSON.parse(line)) }), lines };
}

async function ended(tenantId: TenantId): Promise<number> {
  return (
    (await client.query<{ n: number }>('SELECT count(*)::integer AS n FROM run_end WHERE tenant_id = $1', [tenantId]))
      .rows[0]?.n ?? -1
  );
}

describe('a deadline that Postgres refuses', () => {
  it('is found among others, which are met in time, and is tried after pauses that double', async () => {
    const clock = new Hands();
    const { log, lines } = keptLog();
    const world = await OwnerWorld.start(database.url, { clock, log });
    const { owner, tenantId } = world;
    const later = (ms: number): Promise<void> => pass(owner, clock, ms);
    try {
      await world.put();
      const taskIds: string[] = [];
      for (let n = 0; n < 20; n++) taskIds.push(await world.trigger());
      const guilty = taskIds[6] ?? '';
      await refuse('history', `NEW.task_id = '${guilty}' AND NEW.kinds LIKE '%H%'`);
      await later(scheduleTimeoutMs);
      await vi.waitFor(async () => expect([await ended(tenantId), lines.length]).toEqual([19, 1]), patient);
      for (const [n, pauseMs] of [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000].entries()) {
        // As often as the event loop turns, with commands in between.
        const before = await tries();
        await world.trigger();
        await later(pauseMs - 1);
        expect(await tries()).toBe(before);
        await later(2);
        expect(await tries()).toBe(before + 1);
        expect(lines).toHaveLength(n + 2);
      }
      expect(lines.map(({ code, fails, pauseMs, task }) => ({ code, fails, pauseMs, task })).slice(0, 3)).toEqual(
        [1_000, 2_000, 4_000].map((pauseMs, n) => ({ code: 'COMMAND_FAILED', fails: n + 1, pauseMs, task: guilty })),
      );
      // The first of those deadlines comes in the middle of the next such pause.
      await later(60_002);
      const before = await tries();
      await later(57_500);
      expect([await ended(tenantId), await tries()]).toEqual([20, before]);
      // It is met once it can be, and the next failure begins with the shortest pause again.
      await accept();
      await later(3_000);
      expect(world.memory().filter((line) => line.startsWith(guilty))).toEqual([]);
      const next = await world.trigger();
      await refuse('history', `NEW.task_id = '${next}' AND NEW.kinds LIKE '%H%'`);
      await later(scheduleTimeoutMs);
      await vi.waitFor(() => expect(lines.at(-1)).toMatchObject({ task: next, fails: 1, pauseMs: 1_000 }), patient);
    } finally {
      await owner.stop();
    }
  });
});

describe('a sleep of a durable task whose end Postgres refuses', () => {
  it.each(['on its worker', 'evicted'])('is found among others, which end in time: %s', async (where) => {
    const clock = new Hands();
    const { log, lines } = keptLog();
    const world = await OwnerWorld.start(database.url, { clock, log });
    const { owner, tenantId } = world;
    const later = (ms: number): Promise<void> => pass(owner, clock, ms);
    try {
      const definition = workflowOf('long', [
        stepOf('one', { action: 'wf:long', durable: true, slots: { durable: 1 } }),
      ]);
      await owner.submit({
        kind: 'putWorkflow',
        tenantId,
        definition,
        checksum: 'long',
        workflowId: newId(),
        versionId: newId(),
        filterIds: [],
        crons: [],
      });
      const workerId = newId();
      await owner.submit({
        kind: 'registerWorker',
        tenantId,
        workerId,
        name: 'w',
        actions: ['wf:long'],
        slots: { durable: 100 },
        labels: {},
        runtime: {},
      });
      await world.present(workerId);
      const taskIds: string[] = [];
      for (let n = 0; n < 9; n++) {
        const run = await prepareRun(owner, tenantId, {
          workflowName: 'long',
          input: '{}',
          metadata: '',
          priority: undefined,
        });
        await owner.submit({ kind: 'trigger', tenantId, runs: [run] });
        const task = { tenantId, workerId, taskId: run.runId, invocation: 1 };
        await owner.submit({
          kind: 'durableAsk',
          ...task,
          stream: 1,
          request: n + 1,
          ask: sleepOf(10_000),
        });
        if (where === 'evicted') await owner.submit({ kind: 'durableEvict', ...task, reason: 'ttl' });
        taskIds.push(run.runId);
      }
      const guilty = taskIds[4] ?? '';
      await refuse('durable_result', `NEW.task_id = '${guilty}'`);
      const over = async (): Promise<string[]> =>
        (
          await client.query<{ task_id: string }>('SELECT task_id FROM durable_result WHERE task_id = ANY ($1)', [
            taskIds,
          ])
        ).rows
          .map((row) => row.task_id)
          .sort();
      const others = taskIds.filter((id) => id !== guilty).sort();
      await later(10_001);
      await vi.waitFor(async () => expect([await over(), lines.length]).toEqual([others, 1]), patient);
      expect(lines.map(({ code, task, fails, pauseMs }) => ({ code, task, fails, pauseMs }))).toEqual([
        { code: 'COMMAND_FAILED', task: guilty, fails: 1, pauseMs: 1_000 },
      ]);
      const before = await tries();
      await later(999);
      expect(await tries()).toBe(before);
      await later(2);
      expect(lines.at(-1)).toMatchObject({ task: guilty, fails: 2, pauseMs: 2_000 });
      await accept();
      await later(2_001);
      expect(await over()).toEqual([...taskIds].sort());
    } finally {
      await owner.stop();
    }
  });
});

describe('a timer that Postgres refuses', () => {
  it('is tried after pauses that grow, and holds up no other timer', async () => {
    const { log, lines } = keptLog();
    const world = await OwnerWorld.start(database.url, {
      timersDue: (state, nowUs) => dueTimers.due(state, nowUs),
    });
    const pool = new Pool({ connectionString: database.url, max: 1 });
    const { owner, tenantId } = world;
    const dueTimers = new DueTimers({ owner, pool, log });
    try {
      await world.put();
      const workflowId = owner.stateOf(tenantId)?.latestVersion(tenantId, 'single')?.workflowId ?? '';
      const schedule = () => ({
        id: newId(),
        tenantId,
        workflowId,
        input: '{}',
        metadata: '{}',
        priority: null,
        dueUs: owner.nowUs,
        parentTaskId: null,
      });
      const schedules = [schedule(), schedule(), schedule()];
      await refuse('schedule', `NEW.id = '${schedules[1]?.id}'`);
      const startedMs = performance.now();
      await owner.submit({ kind: 'putSchedules', tenantId, schedules });
      await vi.waitFor(() => expect(lines).not.toEqual([]), patient);
      // Other timers of the shard go on, and do not wake it: that would be a try before its pause is over.
      await owner.submit({ kind: 'putSchedules', tenantId, schedules: [schedule()] });
      await vi.waitFor(() => expect(owner.stateOf(tenantId)?.schedules.size).toBe(1), patient);
      await vi.waitFor(() => expect(lines.length).toBeGreaterThanOrEqual(3), patient);
      expect(performance.now() - startedMs).toBeGreaterThanOrEqual(3_000 - 10);
      expect(
        lines.slice(0, 3).map(({ code, fails, pauseMs, schedule }) => ({ code, fails, pauseMs, schedule })),
      ).toEqual(
        [1_000, 2_000, 4_000].map((pauseMs, n) => ({
          code: 'COMMAND_FAILED',
          fails: n + 1,
          pauseMs,
          schedule: schedules[1]?.id,
        })),
      );
      // With the others of its batch, with half of them, and alone; then alone, each with its line, the last of them perhaps under way.
      const failures = lines.length;
      expect(await tries()).toBeLessThanOrEqual(3 + failures);
      await accept();
      // The plan is ahead of the database by what is being committed.
      await vi.waitFor(
        async () => expect((await client.query('SELECT FROM run WHERE tenant_id = $1', [tenantId])).rowCount).toBe(4),
        patient,
      );
      expect(owner.stateOf(tenantId)?.schedules.size).toBe(0);
    } finally {
      await owner.stop();
      await pool.end();
    }
  });
});
