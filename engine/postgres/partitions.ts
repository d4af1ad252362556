import type { ClientBase } from 'pg';
import { Sqlstate, sqlstateOf } from './sqlstate.ts';

/** Partitioned by day on the UUIDv7 that leads their primary key; `key` is that column, `runs` how a row finds its run. */
export const dayTables = [
  { name: 'run', key: 'id' },
  { name: 'task', key: 'id' },
  { name: 'result', key: 'task_id' },
  { name: 'run_end', key: 'run_id' },
  { name: 'history', key: 'task_id' },
  { name: 'log_line', key: 'task_id' },
] as const;
export type DayTable = (typeof dayTables)[number];

const dayMs = 86_400_000;
const daysAhead = 3;
const lockTries = 50;
const maintenanceLock = 7_077_700_003;

export function dayOf(ms: number): number {
  return Math.floor(ms / dayMs);
}

/** The lowest UUID of a day: its first millisecond, all else zero. */
export function dayBound(day: number): string {
  const hex = (day * dayMs).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-0000-0000-000000000000`;
}

export function partitionName(table: string, day: number): string {
  return `${table}_${new Date(day * dayMs).toISOString().slice(0, 10).replaceAll('-', '')}`;
}

/** Names and bounds come from the constants and functions above alone: DDL takes no parameters. */
const ddl = {
  create: (table: DayTable, day: number) => {
    const name = partitionName(table.name, day);
    const within = `${table.key} >= '${dayBound(day)}' AND ${table.key} < '${dayBound(day + 1)}'`;
    return `CREATE TABLE IF NOT EXISTS ${name} (LIKE ${table.name} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES, CONSTRAINT ${name}_day CHECK (${within}))`;
  },
  attach: (table: DayTable, day: number) => `ALTER TABLE ${table.name} ATTACH PARTITION ${partitionName(table.name, day)} FOR VALUES FROM ('${dayBound(day)}') TO ('${dayBound(day + 1)}')`,
  detach: (table: DayTable, day: number) => `ALTER TABLE ${table.name} DETACH PARTITION ${partitionName(table.name, day)} CONCURRENTLY`,
  finalize: (table: DayTable, day: number) => `ALTER TABLE ${table.name} DETACH PARTITION ${partitionName(table.name, day)} FINALIZE`,
  drop: (table: DayTable, day: number) => `DROP TABLE IF EXISTS ${partitionName(table.name, day)}`,
};

interface Partition {
  day: number;
  attached: boolean;
  detaching: boolean;
}

const listPartitions = `
  SELECT c.relname AS name, i.inhparent IS NOT NULL AS attached, coalesce(i.inhdetachpending, false) AS detaching
  FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhparent = $1::regclass
  WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname ~ ('^' || $1 || '_[0-9]{8}$')`;

async function partitionsOf(client: ClientBase, table: DayTable): Promise<Partition[]> {
  const { rows } = await client.query<{ name: string; attached: boolean; detaching: boolean }>(listPartitions, [table.name]);
  return rows
    .map((row) => {
      const [year, month, date] = [row.name.slice(-8, -4), row.name.slice(-4, -2), row.name.slice(-2)];
      return { day: dayOf(Date.UTC(Number(year), Number(month) - 1, Number(date))), attached: row.attached, detaching: row.detaching };
    })
    .sort((a, b) => a.day - b.day);
}

/** DDL that waits for a lock makes every later query wait behind it: it asks briefly, and again. */
async function patiently(client: ClientBase, statement: string): Promise<void> {
  await client.query(`SET lock_timeout = '200ms'`);
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        await client.query(statement);
        return;
      } catch (error) {
        if (sqlstateOf(error) !== Sqlstate.lockNotAvailable || attempt >= lockTries) throw error;
      }
    }
  } finally {
    await client.query('RESET lock_timeout');
  }
}

async function underLock<T>(client: ClientBase, work: () => Promise<T>): Promise<T> {
  await client.query('SELECT pg_advisory_lock($1::bigint)', [maintenanceLock]);
  try {
    return await work();
  } finally {
    await client.query('SELECT pg_advisory_unlock($1::bigint)', [maintenanceLock]);
  }
}

/**
 * Makes the partitions from yesterday to three days ahead. Each is made apart and attached with its bounds already checked,
 * which takes no lock that an insert would wait for [CREATE … PARTITION OF stalled inserts 1.8 s behind a reader].
 * @returns the names of the new ones
 */
export async function preparePartitions(client: ClientBase, nowMs: number): Promise<string[]> {
  const today = dayOf(nowMs);
  return underLock(client, async () => {
    const made: string[] = [];
    for (const table of dayTables) {
      const existing = new Map((await partitionsOf(client, table)).map((partition) => [partition.day, partition]));
      for (let day = today - 1; day <= today + daysAhead; day++) {
        if (existing.get(day)?.attached === true) continue;
        await client.query(ddl.create(table, day));
        await patiently(client, ddl.attach(table, day));
        made.push(partitionName(table.name, day));
      }
    }
    return made;
  });
}

/** Whether an unfinished task belongs to a run of the day, or was made on it. */
const dayIsBusy = `SELECT EXISTS (SELECT FROM live WHERE (run_id >= $1 AND run_id < $2) OR (task_id >= $1 AND task_id < $2)) AS busy`;

/**
 * Drops the days that are older than the retention, whole. A day on which any run is still unfinished is kept
 * until it ends: moving its rows would make readers miss them for a moment, and such days are few.
 * @returns the names of the dropped ones
 */
export async function dropExpiredPartitions(client: ClientBase, options: { nowMs: number; retentionDays: number }): Promise<string[]> {
  const oldestKept = dayOf(options.nowMs) - options.retentionDays;
  return underLock(client, async () => {
    const dropped: string[] = [];
    const busy = new Map<number, boolean>();
    for (const table of dayTables) {
      for (const { day, attached, detaching } of await partitionsOf(client, table)) {
        if (day >= oldestKept) continue;
        if (!busy.has(day)) busy.set(day, (await client.query<{ busy: boolean }>(dayIsBusy, [dayBound(day), dayBound(day + 1)])).rows[0]?.busy === true);
        if (busy.get(day) === true) continue;
        if (detaching) await patiently(client, ddl.finalize(table, day));
        else if (attached) await client.query(ddl.detach(table, day));
        await patiently(client, ddl.drop(table, day));
        dropped.push(partitionName(table.name, day));
      }
    }
    return dropped;
  });
}
