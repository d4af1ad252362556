import { Client } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { dayBound, dayOf, dayTables } from '../../../engine/postgres/schema/day-partitions.ts';
import { dropExpiredPartitions } from '../../../engine/postgres/schema/drop-expired-partitions.ts';
import { preparePartitions } from '../../../engine/postgres/schema/prepare-partitions.ts';
import { idAt, insertJournal, insertRun, presence } from '../../helpers/stored-run.ts';
import { databaseForTest, type DatabaseFixture } from '../../helpers/database-fixture.ts';

const dayMs = 86_400_000;
const start = Date.UTC(2026, 0, 10, 12);
const retentionDays = 30;
const auditDays = 30;

let database: DatabaseFixture;
let client: Client;
const clients: Client[] = [];

async function connect(): Promise<Client> {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  clients.push(client);
  return client;
}

beforeEach(async () => {
  database = await databaseForTest({ from: 'migrated' });
  client = await connect();
});

afterEach(async () => {
  for (const client of clients.splice(0)) await client.end();
});

async function partitions(on: Client): Promise<string[]> {
  const { rows } = await on.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relname ~ '[0-9]{8}$' ORDER BY 1`,
  );
  return rows.map((row) => row.name);
}

test('from yesterday to three days ahead, once, without a left-over check', async () => {
  expect(await preparePartitions(client, start)).toHaveLength(5 * dayTables.length);
  expect(await preparePartitions(client, start)).toEqual([]);
  expect((await partitions(client)).filter((name) => name.startsWith('run_2'))).toEqual([
    'run_20260109',
    'run_20260110',
    'run_20260111',
    'run_20260112',
    'run_20260113',
  ]);
  const checks = await client.query(`SELECT FROM pg_constraint WHERE contype = 'c' AND conname LIKE '%bounds'`);
  expect(checks.rowCount).toBe(0);
  const { rows } = await client.query<{ plan: string }>(
    `EXPLAIN SELECT * FROM run WHERE id = '${dayBound(dayOf(start))}'`,
  );
  expect(rows.map((row) => Object.values(row)[0]).join('\n')).toMatch(/run_20260110/);
});

test('31 days on: new ones exist, old ones are gone, unfinished runs stay with their children and all their rows, and go once they have ended', async () => {
  await preparePartitions(client, start);
  const ended = await insertRun(client, start, { unfinished: false });
  const unfinished = await insertRun(client, start, { unfinished: true });
  const child = await insertRun(client, start, { unfinished: false, parent: unfinished });
  const grandchild = await insertRun(client, start, { unfinished: false, parent: child });
  const later = start + 32 * dayMs;
  await preparePartitions(client, later);
  await dropExpiredPartitions(client, { nowMs: later, retentionDays, auditDays });
  expect(await presence(client, ended)).toBe(0);
  for (const id of [unfinished, child, grandchild]) expect(await presence(client, id)).toBe(6);
  expect((await partitions(client)).filter((name) => /^run_(old_)?\d/.test(name))).toEqual([
    'run_20260112',
    'run_20260113',
    'run_20260210',
    'run_20260211',
    'run_20260212',
    'run_20260213',
    'run_20260214',
    'run_old_20260112',
  ]);
  await insertJournal(client, unfinished, 9); // its task goes on in the old partition
  const muchLater = later + 5 * dayMs;
  await preparePartitions(client, muchLater);
  await dropExpiredPartitions(client, { nowMs: muchLater, retentionDays, auditDays });
  expect(await presence(client, unfinished)).toBe(7);
  await client.query('DELETE FROM live');
  const atLast = muchLater + 40 * dayMs;
  await preparePartitions(client, atLast);
  await dropExpiredPartitions(client, { nowMs: atLast, retentionDays, auditDays });
  for (const id of [unfinished, child, grandchild]) expect(await presence(client, id)).toBe(0);
  expect((await partitions(client)).filter((name) => name.includes('_old_'))).toEqual([]);
  expect(await dropExpiredPartitions(client, { nowMs: atLast, retentionDays, auditDays })).toEqual([]);
});

/** A connection that breaks after so many statements. */
async function breakingAfter(statements: number): Promise<Client> {
  const broken = await connect();
  const query = broken.query.bind(broken);
  let left = statements;
  Object.assign(broken, {
    query: (text: string, values?: unknown[]) => (left-- > 0 ? query(text, values) : Promise.reject(new Error('cut'))),
  });
  return broken;
}

test.each([{ unfinished: true }, { unfinished: false }])(
  'cut at any statement, the next call finishes it ($unfinished)',
  async ({ unfinished }) => {
    let now = start;
    let whole = false;
    // Every statement of the first table with a run that is kept, every third with none, and some of the other five tables'.
    for (let statements = 1; !whole; statements += statements >= 25 ? 13 : unfinished ? 1 : 3) {
      await preparePartitions(client, now);
      const kept = unfinished ? await insertRun(client, now, { unfinished: true }) : undefined;
      const ended = await insertRun(client, now, { unfinished: false });
      now += 40 * dayMs;
      await preparePartitions(client, now);
      const broken = await breakingAfter(statements);
      try {
        await dropExpiredPartitions(broken, { nowMs: now, retentionDays, auditDays });
        whole = true;
      } catch (error) {
        expect(String(error)).toContain('cut');
      }
      await broken.end();
      clients.splice(clients.indexOf(broken), 1);
      if (kept !== undefined) expect(await presence(client, kept)).toBe(6);
      await dropExpiredPartitions(client, { nowMs: now, retentionDays, auditDays });
      if (kept !== undefined) expect(await presence(client, kept)).toBe(6);
      expect(await presence(client, ended)).toBe(0);
      expect((await partitions(client)).filter((name) => /^run_(old_)?\d{8}$/.test(name))).toHaveLength(
        5 + (unfinished ? 1 : 0),
      );
      await client.query('DELETE FROM live');
    }
  },
  120_000,
);

test('two engines at once', async () => {
  const [one, two] = [await connect(), await connect()];
  const made = await Promise.all([preparePartitions(one, start), preparePartitions(two, start)]);
  expect(made.flat()).toHaveLength(5 * dayTables.length);
  const kept = await insertRun(client, start, { unfinished: true });
  const later = start + 40 * dayMs;
  await Promise.all([preparePartitions(one, later), preparePartitions(two, later)]);
  await Promise.all([
    dropExpiredPartitions(one, { nowMs: later, retentionDays, auditDays }),
    dropExpiredPartitions(two, { nowMs: later, retentionDays, auditDays }),
  ]);
  expect(await presence(client, kept)).toBe(6);
});

test('readers always see the rows of an unfinished run, and inserts never wait behind a long reader', async () => {
  await preparePartitions(client, start);
  const kept = await insertRun(client, start, { unfinished: true });
  const later = start + 40 * dayMs;
  const [keeper, reader, writer, watcher] = [await connect(), await connect(), await connect(), await connect()];
  await reader.query('BEGIN');
  await reader.query('SELECT count(*) FROM history'); // holds its lock for as long as its transaction lasts
  await preparePartitions(keeper, later);
  const state = { done: false };
  const work = dropExpiredPartitions(keeper, { nowMs: later, retentionDays, auditDays }).finally(() => {
    state.done = true;
  });
  // Postgres refuses an insert that waits longer for a lock than this; the reader holds its own for twice as long.
  await writer.query(`SET lock_timeout = '1s'`);
  let seen = 0;
  const insert = async (): Promise<unknown> => insertJournal(writer, idAt(later), 1);
  const watch = async (): Promise<void> => {
    expect(await presence(watcher, kept)).toBe(6);
    seen++;
  };
  const heldUntil = Date.now() + 2_000;
  while (Date.now() < heldUntil) await Promise.all([insert(), watch()]);
  expect(state.done).toBe(false);
  await reader.query('COMMIT');
  while (!state.done) await Promise.all([insert(), watch()]);
  await work;
  expect(await presence(client, kept)).toBe(6);
  expect(seen).toBeGreaterThan(2);
});

test('a child that comes between the look for unfinished runs and the swap stays, with all its rows', async () => {
  await preparePartitions(client, start);
  const unfinished = await insertRun(client, start, { unfinished: true });
  const later = start + 32 * dayMs;
  await preparePartitions(client, later);
  const [keeper, reader] = [await connect(), await connect()];
  await reader.query('BEGIN');
  await reader.query('SELECT FROM run LIMIT 1'); // the swap waits for it
  const work = dropExpiredPartitions(keeper, { nowMs: later, retentionDays, auditDays });
  await expect
    .poll(
      async () =>
        (await client.query(`SELECT FROM pg_locks WHERE relation = 'run'::regclass AND mode = 'AccessExclusiveLock'`))
          .rowCount,
      { interval: 5, timeout: 10_000 },
    )
    .toBe(1);
  const child = await insertRun(client, start, { unfinished: true, parent: unfinished });
  await reader.query('COMMIT');
  await work;
  expect([await presence(client, unfinished), await presence(client, child)]).toEqual([6, 6]);
});
