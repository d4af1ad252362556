import type { Client } from 'pg';
import { HatchetError } from '../../base/errors.ts';
import { underAdvisoryLock } from '../advisory-lock.ts';
import { connect } from '../connect.ts';
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
  /** How long another process may be at it before this one gives up. Default 60 s. */
  waitMs?: number | undefined;
}

export interface MigrationState {
  name: string;
  appliedAt: Date | null;
  /** The file differs from what was applied. */
  changed: boolean;
}

const migrationsTable = 'schema_migration';
const lockId = 7_077_700_002;

const readApplied = `SELECT m.name, m.run_on AS applied_at, c.checksum FROM schema_migration m LEFT JOIN schema_checksum c ON c.name = m.name ORDER BY m.id`;
const createChecksums = `CREATE TABLE IF NOT EXISTS schema_checksum (name text PRIMARY KEY, checksum text NOT NULL)`;
const putChecksums = `INSERT INTO schema_checksum (name, checksum) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT (name) DO NOTHING`;
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

/** @throws HatchetError SCHEMA_NEWER */
function refuseNewer(rows: readonly Applied[], files: readonly MigrationFile[]): void {
  const unknown = rows.find((row) => !files.some((file) => file.name === row.name));
  if (unknown === undefined) return;
  throw new HatchetError(
    'SCHEMA_NEWER',
    `the database has migration ${unknown.name}, which this version does not know`,
    {
      remedy: 'Upgrade hatchet-ts to the version that made it, or migrate down with that version first.',
      details: { migration: unknown.name },
    },
  );
}

function isChanged(row: Applied, files: readonly MigrationFile[]): boolean {
  return row.checksum !== null && row.checksum !== files.find((file) => file.name === row.name)?.checksum;
}

/** What is applied, in order. @throws HatchetError SCHEMA_NEWER, SCHEMA_CHANGED */
async function checkedApplied(client: Client, files: readonly MigrationFile[]): Promise<Applied[]> {
  const rows = await applied(client);
  refuseNewer(rows, files);
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

async function pendingOf(client: Client, files: readonly MigrationFile[]): Promise<string[]> {
  const done = new Set((await checkedApplied(client, files)).map((row) => row.name));
  return files.map((file) => file.name).filter((name) => !done.has(name));
}

/**
 * Applies what is missing, each migration in a transaction of its own. Locked: of two at once, one waits and then finds
 * nothing to do.
 * @returns what was (or, with dryRun, would be) applied
 * @throws HatchetError SCHEMA_NEWER, SCHEMA_CHANGED, DATABASE_LOCKED, POSTGRES_UNREACHABLE, POSTGRES_TOO_OLD
 */
export async function migrateUp(url: string, options: MigrateOptions = {}): Promise<MigrationStep[]> {
  const folder = options.folder ?? migrationsFolder();
  const files = migrationFiles(folder);
  const wanted = options.to === undefined ? files : files.slice(0, indexOf(files, options.to) + 1);
  return withClient(url, async (client) => {
    const pending = await pendingOf(client, files);
    const names = pending.filter((name) => wanted.some((file) => file.name === name));
    if (names.length === 0) return [];
    if (options.dryRun === true) return names.map((name) => ({ name, direction: 'up', ms: 0 }));
    return underLock(client, options, async () => {
      const steps: MigrationStep[] = [];
      for (const name of names) {
        // Another run may have been faster, before the lock was ours.
        if (!(await pendingOf(client, files)).includes(name)) continue;
        const startedAt = performance.now();
        await runOne(client, folder, 'up');
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
        await runOne(client, folder, 'down');
        await client.query(createChecksums);
        await client.query(dropChecksum, [name]);
        steps.push(finish({ name, direction: 'down', startedAt }, options));
      }
      return steps;
    }),
  );
}

/** Every known migration and when it was applied. @throws HatchetError SCHEMA_NEWER */
export async function migrationStatus(url: string, folder = migrationsFolder()): Promise<MigrationState[]> {
  return withClient(url, async (client) => {
    const files = migrationFiles(folder);
    const rows = await applied(client);
    refuseNewer(rows, files);
    return files.map((file) => {
      const row = rows.find((candidate) => candidate.name === file.name);
      return {
        name: file.name,
        appliedAt: row?.applied_at ?? null,
        changed: row !== undefined && isChanged(row, files),
      };
    });
  });
}

/** @throws HatchetError SCHEMA_BEHIND, SCHEMA_CHANGED, SCHEMA_NEWER unless the schema is exactly this version's */
export async function verifyMigrations(url: string, folder = migrationsFolder()): Promise<void> {
  const pending = await withClient(url, (client) => pendingOf(client, migrationFiles(folder)));
  if (pending.length > 0)
    throw new HatchetError('SCHEMA_BEHIND', `the database lacks ${pending.join(', ')}`, {
      remedy: 'Run `hatchet migrate up`.',
    });
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
