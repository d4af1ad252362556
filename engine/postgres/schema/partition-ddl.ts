import { setTimeout as delay } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import { underAdvisoryLock } from '../advisory-lock.ts';
import { dayBound, oldPartitionName, partitionDay, partitionName, type DayTable } from './day-partitions.ts';
import { Sqlstate, sqlstateOf } from '../sqlstate.ts';

const maintenanceLock = 7_077_700_003;
const lockTries = 40;
/** Between two tries. */
const pauseMs = 250;

export interface Partition {
  name: string;
  day: number;
  old: boolean;
  attached: boolean;
  /** A DETACH CONCURRENTLY was interrupted: readers don't see it any more. */
  detaching: boolean;
}

/** LIKE leaves out identity: the parent gives the numbers. */
const like = 'INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES';

/**
 * Names and bounds come from constants and `day-partitions.ts` alone: DDL takes no parameters.
 * A table is attached with a check that already proves its bounds, so that ATTACH needs no scan; then the check goes,
 * since every insert would pay for it.
 */
export const ddl = {
  createDay: (table: DayTable, day: number) => {
    const name = partitionName(table.name, day);
    return `CREATE TABLE IF NOT EXISTS ${name} (LIKE ${table.name} ${like}, CONSTRAINT ${name}_bounds CHECK (${table.key} >= '${dayBound(day)}' AND ${table.key} < '${dayBound(day + 1)}'))`;
  },
  attachDay: (table: DayTable, day: number) => {
    const name = partitionName(table.name, day);
    return `ALTER TABLE ${table.name} ATTACH PARTITION ${name} FOR VALUES FROM ('${dayBound(day)}') TO ('${dayBound(day + 1)}'); ALTER TABLE ${name} DROP CONSTRAINT ${name}_bounds`;
  },
  createOld: (table: DayTable, day: number) => {
    const name = oldPartitionName(table.name, day);
    return `CREATE TABLE ${name} (LIKE ${table.name} ${like}, CONSTRAINT ${name}_bounds CHECK (${table.key} < '${dayBound(day)}'))`;
  },
  attachOld: (table: DayTable, day: number) => {
    const name = oldPartitionName(table.name, day);
    return `ALTER TABLE ${table.name} ATTACH PARTITION ${name} FOR VALUES FROM (MINVALUE) TO ('${dayBound(day)}'); ALTER TABLE ${name} DROP CONSTRAINT ${name}_bounds`;
  },
  lock: (table: DayTable) => `LOCK TABLE ${table.name} IN ACCESS EXCLUSIVE MODE`,
  detach: (table: DayTable, name: string) => `ALTER TABLE ${table.name} DETACH PARTITION ${name}`,
  detachConcurrently: (table: DayTable, name: string) =>
    `ALTER TABLE ${table.name} DETACH PARTITION ${name} CONCURRENTLY`,
  finalize: (table: DayTable, name: string) => `ALTER TABLE ${table.name} DETACH PARTITION ${name} FINALIZE`,
  drop: (name: string) => `DROP TABLE IF EXISTS ${name}`,
} as const;

const listPartitions = `
  SELECT c.relname AS name, i.inhparent IS NOT NULL AS attached, coalesce(i.inhdetachpending, false) AS detaching
  FROM pg_class p
  JOIN pg_class c ON c.relnamespace = p.relnamespace AND c.relkind = 'r' AND c.relname ~ ('^' || p.relname || '_(old_)?[0-9]{8}$')
  LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhparent = p.oid
  WHERE p.oid = $1::regclass`;

/** By day; also those that are made and not attached, or detached and not dropped. */
export async function partitionsOf(client: ClientBase, table: DayTable): Promise<Partition[]> {
  const { rows } = await client.query<{ name: string; attached: boolean; detaching: boolean }>(listPartitions, [
    table.name,
  ]);
  return rows
    .flatMap((row) => {
      const named = partitionDay(row.name);
      return named === undefined ? [] : [{ ...row, ...named }];
    })
    .sort((a, b) => a.day - b.day);
}

/**
 * A statement that waits for a lock makes every later one on the table wait behind it:
 * it asks for `lockMs`, lets the others pass, and asks again.
 */
export async function patiently(
  client: ClientBase,
  options: { lockMs: number },
  work: () => Promise<unknown>,
): Promise<void> {
  await client.query(`SELECT set_config('lock_timeout', $1, false)`, [`${options.lockMs}ms`]);
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        await work();
        return;
      } catch (error) {
        if (sqlstateOf(error) !== Sqlstate.lockNotAvailable || attempt >= lockTries) throw error;
      }
      await delay(pauseMs);
    }
  } finally {
    await client.query('RESET lock_timeout');
  }
}

/** One engine at a time keeps the partitions of a database. @throws HatchetError DATABASE_LOCKED */
export function underMaintenanceLock<T>(client: ClientBase, work: () => Promise<T>): Promise<T> {
  return underAdvisoryLock(client, { id: maintenanceLock, what: 'making or dropping partitions' }, work);
}
