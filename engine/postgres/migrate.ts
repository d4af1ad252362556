import { Client } from 'pg';
import { HatchetError } from '../errors.ts';
import { connectionConfig, checkServer } from './connect.ts';
import { migrationFiles, migrationsFolder, type MigrationFile } from './migration-files.ts';
import { Sqlstate, sqlstateOf } from './sqlstate.ts';

export interface MigrationStep {
  name: string;
  direction: 'up' | 'down';
  ms: number;
}

export interface MigrateOptions {
  /** Stop after this migration; for `down`, the last that stays. A name, or its number. */
  to?: string | undefined;
  dryRun?: boolean | undefined;
  onStep?: ((step: MigrationStep) => void) | undefined;
  /** For tests. Default: the package's own. */
  folder?: string | undefined;
}

export interface MigrationState {
  name: string;
  appliedAt: Date | null;
  /** The file differs from what was applied. */
  changed: boolean;
}

const table = 'schema_migration';
const lockId = 7_077_700_002;

const readApplied = `SELECT m.name, m.run_on AS applied_at, c.checksum FROM schema_migration m LEFT JOIN schema_checksum c ON c.name = m.name ORDER BY m.id`;
const createChecksums = `CREATE TABLE IF NOT EXISTS schema_checksum (name text PRIMARY KEY, checksum text NOT NULL)`;
const putChecksum = `INSERT INTO schema_checksum (name, checksum) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`;
const dropChecksum = `DELETE FROM schema_checksum WHERE name = $1`;

interface Applied {
  name: string;
  applied_at: Date;
  checksum: string | null;
}

async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  await checkServer(url);
  const client = new Client(connectionConfig(url, 'hatchet migrate'));
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
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

/** @throws HatchetError SCHEMA_NEWER, SCHEMA_CHANGED */
function check(rows: readonly Applied[], files: readonly MigrationFile[]): void {
  const known = new Map(files.map((file) => [file.name, file.checksum]));
  const unknown = rows.find((row) => !known.has(row.name));
  if (unknown !== undefined) {
    throw new HatchetError('SCHEMA_NEWER', `the database has migration ${unknown.name}, which this version does not know`, {
      remedy: 'Upgrade hatchet-ts to the version that made it, or migrate down with that version first.',
      details: { migration: unknown.name },
    });
  }
  const changed = rows.find((row) => row.checksum !== null && row.checksum !== known.get(row.name));
  if (changed !== undefined) {
    throw new HatchetError('SCHEMA_CHANGED', `migration ${changed.name} was applied with another text than its file has now`, {
      remedy: 'Applied migrations never change: restore the file, and put the change into a new one.',
      details: { migration: changed.name },
    });
  }
}

function indexOf(files: readonly MigrationFile[], to: string): number {
  const index = files.findIndex((file) => file.name === to || file.name.startsWith(`${to.padStart(4, '0')}_`));
  if (index < 0) throw new HatchetError('INVALID_ARGUMENT', `there is no migration ${to}`, { remedy: `Choose one of ${files.map((file) => file.name).join(', ')}.` });
  return index;
}

/** Names still to be applied, in order. Cheap: what every start of an engine asks first. */
export async function pendingMigrations(url: string, folder = migrationsFolder()): Promise<string[]> {
  return withClient(url, async (client) => {
    const files = migrationFiles(folder);
    const rows = await applied(client);
    check(rows, files);
    const done = new Set(rows.map((row) => row.name));
    return files.map((file) => file.name).filter((name) => !done.has(name));
  });
}

/**
 * Applies what is missing, each migration in a transaction of its own. Locked: of two at once, one waits and then finds
 * nothing to do.
 * @returns what was (or, with dryRun, would be) applied
 * @throws HatchetError SCHEMA_NEWER, SCHEMA_CHANGED, POSTGRES_UNREACHABLE, POSTGRES_TOO_OLD
 */
export async function migrateUp(url: string, options: MigrateOptions = {}): Promise<MigrationStep[]> {
  const folder = options.folder ?? migrationsFolder();
  const files = migrationFiles(folder);
  const last = options.to === undefined ? files.length - 1 : indexOf(files, options.to);
  const wanted = new Set(files.slice(0, last + 1).map((file) => file.name));
  const pending = (await pendingMigrations(url, folder)).filter((name) => wanted.has(name));
  if (options.dryRun === true) return pending.map((name) => ({ name, direction: 'up', ms: 0 }));
  return withClient(url, async (client) => {
    const steps: MigrationStep[] = [];
    await underLock(client, async () => {
      for (const name of pending) {
        if ((await applied(client)).some((row) => row.name === name)) continue;
        const startedAt = performance.now();
        await run(client, folder, 'up');
        await client.query(createChecksums);
        await client.query(putChecksum, [name, files.find((file) => file.name === name)?.checksum ?? '']);
        const step: MigrationStep = { name, direction: 'up', ms: Math.round(performance.now() - startedAt) };
        steps.push(step);
        options.onStep?.(step);
      }
    });
    return steps;
  });
}

/** Takes back the newest migration, or all after `to`. Data of what is taken back is gone. */
export async function migrateDown(url: string, options: MigrateOptions = {}): Promise<MigrationStep[]> {
  const folder = options.folder ?? migrationsFolder();
  const files = migrationFiles(folder);
  return withClient(url, async (client) => {
    const rows = await applied(client);
    check(rows, files);
    const keep = options.to === undefined ? rows.length - 1 : options.to === '0' ? 0 : indexOf(files, options.to) + 1;
    const names = rows
      .map((row) => row.name)
      .slice(Math.max(keep, 0))
      .reverse();
    if (options.dryRun === true) return names.map((name) => ({ name, direction: 'down', ms: 0 }));
    const steps: MigrationStep[] = [];
    await underLock(client, async () => {
      for (const name of names) {
        const startedAt = performance.now();
        await run(client, folder, 'down');
        await client.query(dropChecksum, [name]);
        const step: MigrationStep = { name, direction: 'down', ms: Math.round(performance.now() - startedAt) };
        steps.push(step);
        options.onStep?.(step);
      }
    });
    return steps;
  });
}

/** Every known migration and when it was applied. @throws HatchetError SCHEMA_NEWER */
export async function migrationStatus(url: string, folder = migrationsFolder()): Promise<MigrationState[]> {
  return withClient(url, async (client) => {
    const files = migrationFiles(folder);
    const rows = await applied(client);
    const byName = new Map(rows.map((row) => [row.name, row]));
    const unknown = rows.filter((row) => !files.some((file) => file.name === row.name));
    if (unknown.length > 0) check(rows, files);
    return files.map((file) => {
      const row = byName.get(file.name);
      return { name: file.name, appliedAt: row?.applied_at ?? null, changed: row !== undefined && row.checksum !== null && row.checksum !== file.checksum };
    });
  });
}

/** @throws HatchetError SCHEMA_BEHIND, SCHEMA_CHANGED, SCHEMA_NEWER unless the schema is exactly this version's */
export async function verifyMigrations(url: string, folder = migrationsFolder()): Promise<void> {
  const pending = await pendingMigrations(url, folder);
  if (pending.length > 0) throw new HatchetError('SCHEMA_BEHIND', `the database lacks ${pending.join(', ')}`, { remedy: 'Run `hatchet migrate up`.' });
}

async function underLock(client: Client, work: () => Promise<void>): Promise<void> {
  await client.query('SELECT pg_advisory_lock($1::bigint)', [lockId]);
  try {
    await work();
  } finally {
    await client.query('SELECT pg_advisory_unlock($1::bigint)', [lockId]);
  }
}

async function run(client: Client, dir: string, direction: 'up' | 'down'): Promise<void> {
  // Loaded only when there is something to do: it costs more than a start's whole check.
  const { runner } = await import('node-pg-migrate');
  const quiet = (): void => undefined;
  await runner({ dbClient: client, dir, direction, count: 1, migrationsTable: table, singleTransaction: true, noLock: true, log: quiet });
}
