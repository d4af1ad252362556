import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { HatchetError } from '../../base/errors.ts';
import { underAdvisoryLock } from '../advisory-lock.ts';
import { connect } from '../connect.ts';
import { connectedOwners } from '../engine-connections.ts';
import { migrationFiles, migrationsFolder, type MigrationFile } from './migration-files.ts';
import { Sqlstate, sqlstateOf } from '../sqlstate.ts';

export interface MigrationStep {
  name: string;
  direction: 'up' | 'down';
  ms: number;
}

export interface MigrateOptions {
  /** Stop after this migration; for `down`, the last that stays, `0` for none. A name, or its number. */
  to?: string | undefined;
  /** Says what would be done, and changes nothing. */
  dryRun?: boolean | undefined;
  /** Called after each step. */
  onStep?: ((step: MigrationStep) => void) | undefined;
  /** For tests. Default: the package's own. */
  folder?: string | undefined;
  /** How long another process may be at it, or hold what a migration changes, before this one gives up. Default 60 s. */
  waitMs?: number | undefined;
  /** Called where the schema is newer than this version's, by as much as it serves on. */
  onNewer?: ((name: string) => void) | undefined;
}

export interface MigrationState {
  name: string;
  appliedAt: Date | null;
  /** The file differs from what was applied. */
  changed: boolean;
  /** A newer version's, which this one has no file of. */
  newer: boolean;
}

/**
 * A version serves on a schema that is so many migrations newer than its own: while engines are replaced one after the other by
 * those of the next version, and when that is taken back. So a release brings no more than one, and each is additive.
 */
const mostNewer = 1;
/** The longest that transactions of running engines wait behind one try of a migration for its locks. */
const lockMs = 1_000;
const lockPauseMs = 200;
const longestLockWaitMs = 60_000;

const migrationsTable = 'schema_migration';
const lockId = 7_077_700_002;

const readApplied = `SELECT m.name, m.run_on AS applied_at, c.checksum FROM schema_migration m LEFT JOIN schema_checksum c ON c.name = m.name ORDER BY m.id`;
const createChecksums = `CREATE TABLE IF NOT EXISTS schema_checksum (name text PRIMARY KEY, checksum text NOT NULL)`;
const putChecksums = `INSERT INTO schema_checksum (name, checksum) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT (name) DO NOTHING`;
const countEngines = `
  WITH ${connectedOwners} SELECT count(DISTINCT id)::integer AS engines FROM connected`;
const dropChecksum = `DELETE FROM schema_checksum WHERE name = $1`;

interface Applied {
  name: string;
  applied_at: Date;
  checksum: string | null;
}

async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const { client } = await connect(url, 'hatchet migrate');
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function applied(client: Client): Promise<Applied[]> {
  try {
    return (await client.query<Applied>(readApplied)).rows;
  } catch (error) {
    if (sqlstateOf(error) === Sqlstate.undefinedTable) return [];
    throw error;
  }
}

/**
 * What is applied beyond this version's newest migration.
 * @param most more is refused, and so is what comes before the newest
 * @throws HatchetError SCHEMA_NEWER
 */
function newerOf(rows: readonly Applied[], files: readonly MigrationFile[], most: number): Applied[] {
  const unknown = rows.filter((row) => !files.some((file) => file.name === row.name));
  const [first] = unknown;
  if (first === undefined) return [];
  const newest = files.at(-1)?.name ?? '';
  if (unknown.length <= most && first.name > newest) return unknown;
  const names = unknown.map(({ name }) => name).join(', ');
  const orBefore = unknown.length > mostNewer ? ', or to the one before' : '';
  throw new HatchetError(
    'SCHEMA_NEWER',
    `the database has ${unknown.length === 1 ? 'migration' : 'migrations'} ${names}, which this version does not know; its newest is ${newest}`,
    {
      remedy: `Upgrade hatchet-ts to the version that made it${orBefore}; or migrate down with that version first: hatchet migrate down --to ${newest}.`,
      details: { migration: first.name, newest },
    },
  );
}

function isChanged(row: Applied, files: readonly MigrationFile[]): boolean {
  const file = files.find(({ name }) => name === row.name);
  return row.checksum !== null && file !== undefined && row.checksum !== file.checksum;
}

/** What is applied, in order. @throws HatchetError SCHEMA_NEWER, SCHEMA_CHANGED */
async function checkedApplied(client: Client, files: readonly MigrationFile[], most = 0): Promise<Applied[]> {
  const rows = await applied(client);
  newerOf(rows, files, most);
  const changed = rows.find((row) => isChanged(row, files));
  if (changed !== undefined) {
    throw new HatchetError(
      'SCHEMA_CHANGED',
      `migration ${changed.name} was applied with another text than its file has now`,
      {
        remedy: 'Applied migrations never change: restore the file, and put the change into a new one.',
        details: { migration: changed.name },
      },
    );
  }
  return rows;
}

function indexOf(files: readonly MigrationFile[], to: string): number {
  const index = files.findIndex((file) => file.name === to || file.name.startsWith(`${to.padStart(4, '0')}_`));
  if (index < 0)
    throw new HatchetError('INVALID_ARGUMENT', `there is no migration ${to}`, {
      remedy: `Choose one of ${files.map((file) => file.name).join(', ')}.`,
    });
  return index;
}

interface Compared {
  pending: string[];
  newer: string[];
}

async function compare(client: Client, files: readonly MigrationFile[], most = 0): Promise<Compared> {
  const rows = await checkedApplied(client, files, most);
  const done = new Set(rows.map((row) => row.name));
  return {
    pending: files.map((file) => file.name).filter((name) => !done.has(name)),
    newer: newerOf(rows, files, most).map(({ name }) => name),
  };
}

/**
 * Engines go on with the schema that they started with, and each serves on one that is a migration newer.
 * @throws HatchetError SCHEMA_IN_USE
 */
async function refuseSeveralUnderEngines(client: Client, names: readonly string[]): Promise<void> {
  if (names.length <= mostNewer) return;
  const { rows } = await client.query<{ engines: number }>(countEngines);
  const engines = rows[0]?.engines ?? 0;
  if (engines === 0) return;
  throw new HatchetError(
    'SCHEMA_IN_USE',
    `${names.length} migrations are missing, ${names.join(', ')}, and ${engines} ${engines === 1 ? 'engine serves' : 'engines serve'} on this database with an older schema`,
    {
      remedy:
        'Stop the engines first, then migrate. To go on without a pause, roll out the versions in between, one after the other.',
      details: { engines },
    },
  );
}

/**
 * Applies what is missing, each migration in a transaction of its own. Locked: of two at once, one waits and then finds
 * nothing to do.
 * @returns what was (or, with dryRun, would be) applied
 * @throws HatchetError SCHEMA_NEWER, SCHEMA_CHANGED, SCHEMA_IN_USE, DATABASE_LOCKED, POSTGRES_UNREACHABLE, POSTGRES_TOO_OLD
 */
export async function migrateUp(url: string, options: MigrateOptions = {}): Promise<MigrationStep[]> {
  const folder = options.folder ?? migrationsFolder();
  const files = migrationFiles(folder);
  const wanted = options.to === undefined ? files : files.slice(0, indexOf(files, options.to) + 1);
  return withClient(url, async (client) => {
    const missing = async (): Promise<string[]> => {
      const { pending, newer } = await compare(client, files, mostNewer);
      for (const name of newer) options.onNewer?.(name);
      return pending.filter((name) => wanted.some((file) => file.name === name));
    };
    const names = await missing();
    if (names.length === 0) return [];
    if (options.dryRun === true) return names.map((name) => ({ name, direction: 'up', ms: 0 }));
    return underLock(client, options, async () => {
      const steps: MigrationStep[] = [];
      // Another run may have been faster, before the lock was ours.
      const left = await missing();
      await refuseSeveralUnderEngines(client, left);
      for (const name of left) {
        const startedAt = performance.now();
        await patiently(client, { name, waitMs: options.waitMs }, () => runOne(client, folder, 'up'));
        await recordChecksums(client, files);
        steps.push(finish({ name, direction: 'up', startedAt }, options));
      }
      return steps;
    });
  });
}

/** Takes back the newest migration, or all after `to`. Data of what is taken back is gone. */
export async function migrateDown(url: string, options: MigrateOptions = {}): Promise<MigrationStep[]> {
  const folder = options.folder ?? migrationsFolder();
  const files = migrationFiles(folder);
  return withClient(url, (client) =>
    underLock(client, options, async () => {
      const rows = await checkedApplied(client, files);
      const keep =
        options.to === undefined
          ? Math.max(rows.length - 1, 0)
          : options.to === '0'
            ? 0
            : indexOf(files, options.to) + 1;
      const names = rows
        .slice(keep)
        .map((row) => row.name)
        .reverse();
      if (options.dryRun === true) return names.map((name) => ({ name, direction: 'down', ms: 0 }));
      const steps: MigrationStep[] = [];
      for (const name of names) {
        const startedAt = performance.now();
        await patiently(client, { name, waitMs: options.waitMs }, () => runOne(client, folder, 'down'));
        await client.query(createChecksums);
        await client.query(dropChecksum, [name]);
        steps.push(finish({ name, direction: 'down', startedAt }, options));
      }
      return steps;
    }),
  );
}

/** Every known migration and when it was applied, and what is newer. @throws HatchetError SCHEMA_NEWER where this version does not serve on it */
export async function migrationStatus(url: string, folder = migrationsFolder()): Promise<MigrationState[]> {
  return withClient(url, async (client) => {
    const files = migrationFiles(folder);
    const rows = await applied(client);
    const newer = newerOf(rows, files, mostNewer);
    const known = files.map((file) => {
      const row = rows.find((candidate) => candidate.name === file.name);
      return {
        name: file.name,
        appliedAt: row?.applied_at ?? null,
        changed: row !== undefined && isChanged(row, files),
        newer: false,
      };
    });
    const others = newer.map(({ name, applied_at: appliedAt }) => ({ name, appliedAt, changed: false, newer: true }));
    return [...known, ...others];
  });
}

/** @throws HatchetError SCHEMA_BEHIND, SCHEMA_CHANGED, SCHEMA_NEWER unless the schema is exactly this version's */
export async function verifyMigrations(url: string, folder = migrationsFolder()): Promise<void> {
  await verify(url, folder, 0);
}

/**
 * As `verifyMigrations`, for who only works with it: it may be as much newer as this version serves on.
 * @returns the newer migration
 */
export async function verifyServable(url: string, folder = migrationsFolder()): Promise<string | undefined> {
  return (await verify(url, folder, mostNewer)).newer[0];
}

async function verify(url: string, folder: string, most: number): Promise<Compared> {
  const compared = await withClient(url, (client) => compare(client, migrationFiles(folder), most));
  const { pending } = compared;
  if (pending.length > 0)
    throw new HatchetError('SCHEMA_BEHIND', `the database lacks ${pending.join(', ')}`, {
      remedy: 'Run `hatchet migrate up`.',
    });
  return compared;
}

function finish(
  step: { name: string; direction: 'up' | 'down'; startedAt: number },
  options: MigrateOptions,
): MigrationStep {
  const done: MigrationStep = {
    name: step.name,
    direction: step.direction,
    ms: Math.round(performance.now() - step.startedAt),
  };
  options.onStep?.(done);
  return done;
}

/** Also of migrations whose run was killed after its commit and before its checksum was stored. */
async function recordChecksums(client: Client, files: readonly MigrationFile[]): Promise<void> {
  await client.query(createChecksums);
  const names = new Set((await applied(client)).map((row) => row.name));
  const done = files.filter((file) => names.has(file.name));
  await client.query(putChecksums, [done.map((file) => file.name), done.map((file) => file.checksum)]);
}

function underLock<T>(client: Client, options: MigrateOptions, work: () => Promise<T>): Promise<T> {
  return underAdvisoryLock(client, { id: lockId, what: 'changing the schema', waitMs: options.waitMs }, work);
}

/**
 * Tries a migration until it gets the locks that it asks for. It asks for a second at a time: whoever wants the same tables waits
 * behind it, and it waits for the longest transaction that reads them.
 * @throws HatchetError DATABASE_LOCKED
 */
async function patiently(
  client: Client,
  { name, waitMs = longestLockWaitMs }: { name: string; waitMs?: number | undefined },
  work: () => Promise<void>,
): Promise<void> {
  const until = performance.now() + waitMs;
  await client.query(`SELECT set_config('lock_timeout', $1, false)`, [`${Math.min(lockMs, waitMs)}ms`]);
  try {
    for (;;) {
      try {
        await work();
        return;
      } catch (error) {
        const state = sqlstateOf(error);
        if (state !== Sqlstate.lockNotAvailable && state !== Sqlstate.deadlockDetected) throw error;
        if (performance.now() >= until)
          throw new HatchetError('DATABASE_LOCKED', `migration ${name} did not get its locks for ${waitMs / 1000} s`, {
            cause: error,
            remedy:
              'Look in pg_stat_activity for transactions that have been open for long, end them, and start again. Nothing was changed.',
            details: { migration: name },
          });
        await delay(lockPauseMs);
      }
    }
  } finally {
    await client.query('RESET lock_timeout');
  }
}

async function runOne(client: Client, dir: string, direction: 'up' | 'down'): Promise<void> {
  // Loaded only when there is something to do: it costs more than a start's whole check.
  const { runner } = await import('node-pg-migrate');
  const quiet = (): void => undefined;
  await runner({
    dbClient: client,
    dir,
    direction,
    count: 1,
    migrationsTable,
    singleTransaction: true,
    noLock: true,
    log: quiet,
  });
}
