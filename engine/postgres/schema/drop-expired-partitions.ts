import type { ClientBase } from 'pg';
import { dayBound, dayOf, dayTables, oldPartitionName, type DayTable } from './day-partitions.ts';
import { ddl, partitionsOf, patiently, underMaintenanceLock, type Partition } from './partition-ddl.ts';
import { tasksOf } from '../../postgres/rows-of-a-run.ts';

/** The longest that others wait behind one try for the exclusive lock of a swap. */
const swapLockMs = 50;
const lockMs = 200;
/** DETACH CONCURRENTLY waits for every older transaction; what it leaves undone is finished the next time. */
const detachMs = 60_000;

/**
 * Runs that began before the bound and have not ended. Few: they are older than the retention. Their children belong to
 * them: ended or not, a retry of the parent asks for their results (and a child's id carries its parent's date).
 */
const unfinishedRuns = `
  WITH RECURSIVE kept (id) AS (
    SELECT run_id FROM live WHERE run_id < $1 OR task_id < $1
    UNION
    SELECT c.id FROM kept k JOIN run r ON r.id = k.id CROSS JOIN LATERAL ${tasksOf('r')} t JOIN run c ON c.parent_task_id = t.id
  )
  SELECT id FROM kept`;
/** As above, of what was found before and what came since: children, whose ids carry their parent's date. By the key of `live`, since others wait. */
const unfinishedSince = `
  WITH RECURSIVE kept (id) AS (
    (SELECT id FROM unnest($2::uuid[]) AS u (id) UNION SELECT run_id FROM live WHERE task_id < $1)
    UNION
    SELECT c.id FROM kept k JOIN run r ON r.id = k.id CROSS JOIN LATERAL ${tasksOf('r')} t JOIN run c ON c.parent_task_id = t.id
  )
  SELECT id FROM kept`;
const tasksOfRuns = `SELECT t.id FROM unnest($1::uuid[]) AS u (id) JOIN run r ON r.id = u.id CROSS JOIN LATERAL ${tasksOf('r')} t`;

/** The rows that unfinished runs need of a table below the bound. Repeated under the lock, it adds what came since. */
const keepRows: Record<DayTable['name'], (target: string) => string> = {
  run: (target) =>
    `INSERT INTO ${target} SELECT x.* FROM unnest($1::uuid[]) AS u (id) JOIN run x ON x.id = u.id WHERE x.id < $2 ON CONFLICT DO NOTHING`,
  run_end: (target) =>
    `INSERT INTO ${target} SELECT x.* FROM unnest($1::uuid[]) AS u (id) JOIN run_end x ON x.run_id = u.id WHERE x.run_id < $2 ON CONFLICT DO NOTHING`,
  task: (target) =>
    `INSERT INTO ${target} SELECT x.* FROM unnest($1::uuid[]) AS u (id) JOIN task x ON x.id = u.id WHERE x.id < $2 ON CONFLICT DO NOTHING`,
  result: (target) =>
    `INSERT INTO ${target} SELECT x.* FROM unnest($1::uuid[]) AS u (id) JOIN result x ON x.task_id = u.id WHERE x.task_id < $2 ON CONFLICT DO NOTHING`,
  history: (target) =>
    `INSERT INTO ${target} SELECT x.* FROM unnest($1::uuid[]) AS u (id) JOIN history x ON x.task_id = u.id WHERE x.task_id < $2 ON CONFLICT DO NOTHING`,
  stream_chunk: (target) =>
    `INSERT INTO ${target} SELECT x.* FROM unnest($1::uuid[]) AS u (id) JOIN stream_chunk x ON x.run_id = u.id WHERE x.run_id < $2 ON CONFLICT DO NOTHING`,
  durable_entry: (target) =>
    `INSERT INTO ${target} SELECT x.* FROM unnest($1::uuid[]) AS u (id) JOIN durable_entry x ON x.task_id = u.id WHERE x.task_id < $2 ON CONFLICT DO NOTHING`,
  durable_result: (target) =>
    `INSERT INTO ${target} SELECT x.* FROM unnest($1::uuid[]) AS u (id) JOIN durable_result x ON x.task_id = u.id WHERE x.task_id < $2 ON CONFLICT DO NOTHING`,
  // A run holds all that its event brought: nothing of an event outlives its day.
  event: (target) => `INSERT INTO ${target} SELECT x.* FROM event x WHERE cardinality($1::uuid[]) < 0 AND x.id < $2`,
  audit_line: (target) =>
    `INSERT INTO ${target} SELECT x.* FROM audit_line x WHERE cardinality($1::uuid[]) < 0 AND x.id < $2`,
  // By the day on which it came: a run that goes on for longer than the retention loses its first ones.
  span: (target) => `INSERT INTO ${target} SELECT x.* FROM span x WHERE cardinality($1::uuid[]) < 0 AND x.id < $2`,
  event_run: (target) =>
    `INSERT INTO ${target} SELECT x.* FROM event_run x WHERE cardinality($1::uuid[]) < 0 AND x.event_id < $2`,
  log_line: (target) =>
    `INSERT INTO ${target} SELECT x.* FROM unnest($1::uuid[]) AS u (id) JOIN log_line x ON x.task_id = u.id WHERE x.task_id < $2 ON CONFLICT DO NOTHING`,
};

interface Expiry {
  /** The oldest day that is kept whole. */
  day: number;
  runIds: string[];
  taskIds: string[];
}

/**
 * Drops the days that are older than the retention; audit lines have one of their own. Where no run of theirs is unfinished, each is detached without any
 * lock that a query would notice. Else the rows of the unfinished ones go to one partition for all older days, which
 * takes the place of those days in one transaction: no statement sees the rows missing or twice. No run below the bound
 * can become unfinished anew meanwhile: `retention-bound.ts` refuses its replay.
 * Interrupted anywhere, the next call finishes it.
 * @returns the names of the dropped ones
 */
export async function dropExpiredPartitions(
  client: ClientBase,
  options: { nowMs: number; retentionDays: number; auditDays: number },
): Promise<string[]> {
  const today = dayOf(options.nowMs);
  const runDay = today - options.retentionDays;
  return underMaintenanceLock(client, async () => {
    const dropped: string[] = [];
    let expiry: Expiry | undefined;
    for (const table of dayTables) {
      const isAudit = table.name === 'audit_line';
      const day = isAudit ? today - options.auditDays : runDay;
      dropped.push(...(await dropLeftovers(client, table, day)));
      const expired = (await partitionsOf(client, table)).filter((partition) => isExpired(partition, day));
      if (expired.length === 0) continue;
      // No run needs an audit line.
      if (!isAudit) expiry ??= await readExpiry(client, day);
      if (isAudit || expiry === undefined || expiry.runIds.length === 0) await detachAll(client, table, expired);
      else await swap(client, table, { expired, expiry });
      dropped.push(...(await dropLeftovers(client, table, day)));
    }
    return dropped;
  });
}

/** An old partition ends before its day, so it is replaced once that day itself has expired. */
function isExpired(partition: Partition, day: number): boolean {
  return partition.attached && partition.day < day;
}

/** @param before what an earlier look has found */
async function readExpiry(client: ClientBase, day: number, before?: Expiry): Promise<Expiry> {
  const runs =
    before === undefined
      ? await client.query<{ id: string }>(unfinishedRuns, [dayBound(day)])
      : await client.query<{ id: string }>(unfinishedSince, [dayBound(day), before.runIds]);
  const runIds = runs.rows.map((row) => row.id);
  const tasks = await client.query<{ id: string }>(tasksOfRuns, [runIds]);
  return { day, runIds, taskIds: tasks.rows.map((row) => row.id) };
}

/** What an interrupted call left: detached days, and old partitions that never took their place. */
async function dropLeftovers(client: ClientBase, table: DayTable, day: number): Promise<string[]> {
  const dropped: string[] = [];
  for (const partition of await partitionsOf(client, table)) {
    if (partition.detaching)
      await patiently(client, { lockMs }, () => client.query(ddl.finalize(table, partition.name)));
    else if (partition.attached || (!partition.old && partition.day >= day)) continue;
    await patiently(client, { lockMs }, () => client.query(ddl.drop(partition.name)));
    dropped.push(partition.name);
  }
  return dropped;
}

async function detachAll(client: ClientBase, table: DayTable, expired: readonly Partition[]): Promise<void> {
  await client.query(`SELECT set_config('statement_timeout', $1, false)`, [`${detachMs}ms`]);
  try {
    for (const partition of expired) await client.query(ddl.detachConcurrently(table, partition.name));
  } finally {
    await client.query('RESET statement_timeout');
  }
}

async function swap(
  client: ClientBase,
  table: DayTable,
  options: { expired: readonly Partition[]; expiry: Expiry },
): Promise<void> {
  const { expired, expiry } = options;
  const target = oldPartitionName(table.name, expiry.day);
  const keep = ({ runIds, taskIds, day }: Expiry): Promise<unknown> =>
    client.query(keepRows[table.name](target), [
      table.name === 'run' || table.key === 'run_id' ? runIds : taskIds,
      dayBound(day),
    ]);
  await client.query(ddl.createOld(table, expiry.day));
  // Nearly all of it before the lock, so that what is left under it is little.
  await keep(expiry);
  await patiently(client, { lockMs: swapLockMs }, async () => {
    await client.query('BEGIN');
    try {
      // An unfinished task may have written since, or have got a child, whose id carries its date; from here on nobody can.
      await client.query(ddl.lock(table));
      await keep(await readExpiry(client, expiry.day, expiry));
      for (const partition of expired) await client.query(ddl.detach(table, partition.name));
      await client.query(ddl.attachOld(table, expiry.day));
      await client.query('COMMIT');
    } catch (error) {
      await client.query('ROLLBACK');
      throw error;
    }
  });
}
