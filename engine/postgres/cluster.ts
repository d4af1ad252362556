import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { HatchetError } from '../errors.ts';
import type { Binaries } from './binaries.ts';
import { systemFolder, type ServerUser } from './server-user.ts';

const run = promisify(execFile);

/** What `<dataDir>/postgres.json` (0600) remembers of the embedded cluster. */
export interface Cluster {
  /** The cluster's own folder. */
  folder: string;
  password: string;
  port: number;
}

/** Makes the data folder: closed to others, except that root's must let `nobody` through to the cluster. */
export function prepareDataDir(dataDir: string, user: ServerUser): void {
  const fresh = !existsSync(dataDir);
  try {
    mkdirSync(dataDir, { recursive: true });
    if (fresh || user.isRoot) chmodSync(dataDir, user.isRoot ? 0o711 : 0o700);
    const ignore = join(dataDir, '.gitignore');
    if (!existsSync(ignore)) writeFileSync(ignore, '*\n');
  } catch (cause) {
    throw new HatchetError('DATA_DIR_UNUSABLE', `the data folder ${dataDir} cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`, { cause, remedy: 'Choose another with --data-dir.' });
  }
}

function reachableByOthers(path: string): boolean {
  for (let folder = path; ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false;
    if (dirname(folder) === folder) return true;
  }
}

function clusterFolder(dataDir: string, user: ServerUser): string {
  const absolute = resolve(dataDir);
  if (!user.isRoot || reachableByOthers(absolute)) return join(absolute, 'postgres');
  const key = createHash('sha256').update(absolute).digest('hex').slice(0, 16);
  return join(systemFolder(user), key, 'postgres');
}

function recordPath(dataDir: string): string {
  return join(dataDir, 'postgres.json');
}

function readRecord(dataDir: string): Cluster | undefined {
  try {
    const parsed: unknown = JSON.parse(readFileSync(recordPath(dataDir), 'utf8'));
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    const { folder, password, port } = parsed as Partial<Cluster>;
    return typeof folder === 'string' && typeof password === 'string' && typeof port === 'number' ? { folder, password, port } : undefined;
  } catch {
    return undefined;
  }
}

export function writeRecord(dataDir: string, cluster: Cluster): void {
  const fresh = `${recordPath(dataDir)}.${process.pid}`;
  writeFileSync(fresh, `${JSON.stringify(cluster, null, 2)}\n`, { mode: 0o600 });
  renameSync(fresh, recordPath(dataDir));
}

/**
 * The data folder's cluster, made with initdb the first time. The record is written before the cluster gets its name,
 * so that a kill in between leaves either nothing or a cluster whose password is known.
 */
export async function openCluster(dataDir: string, options: { user: ServerUser; binaries: Binaries }): Promise<{ cluster: Cluster; created: boolean }> {
  const { user } = options;
  const record = readRecord(dataDir);
  const folder = record?.folder ?? clusterFolder(dataDir, user);
  if (existsSync(join(folder, 'PG_VERSION'))) {
    if (record !== undefined) return { cluster: record, created: false };
    throw new HatchetError('DATA_DIR_UNUSABLE', `${recordPath(dataDir)} is missing, and with it the password of the database in ${folder}`, { remedy: 'Restore the file, or delete the data folder to start afresh.' });
  }
  const password = record?.password ?? randomBytes(24).toString('base64url');
  const cluster: Cluster = { folder, password, port: record?.port ?? 0 };
  writeRecord(dataDir, cluster);
  await initialize(cluster, options);
  return { cluster, created: true };
}

async function initialize(cluster: Cluster, options: { user: ServerUser; binaries: Binaries }): Promise<void> {
  const { user, binaries } = options;
  const parent = dirname(cluster.folder);
  mkdirSync(parent, { recursive: true, mode: user.isRoot ? 0o711 : 0o700 });
  const fresh = `${cluster.folder}.${process.pid}.new`;
  const passwordFile = `${fresh}.pw`;
  rmSync(fresh, { recursive: true, force: true });
  try {
    mkdirSync(fresh, { mode: 0o700 });
    user.own(fresh);
    writeFileSync(passwordFile, cluster.password, { mode: 0o600 });
    user.own(passwordFile);
    await run(binaries.initdb, ['-D', fresh, '-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--encoding=UTF8', '--locale=C', '--no-instructions', '--no-sync'], {
      ...user.spawn,
      cwd: parent,
      env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' },
    });
    try {
      renameSync(fresh, cluster.folder);
    } catch (error) {
      if (!existsSync(join(cluster.folder, 'PG_VERSION'))) throw error; // otherwise another engine was faster
    }
  } catch (cause) {
    const detail = cause instanceof Error && 'stderr' in cause && typeof cause.stderr === 'string' && cause.stderr !== '' ? cause.stderr.trim() : String(cause);
    throw new HatchetError('POSTGRES_START', `a new Postgres cluster could not be made in ${cluster.folder}: ${detail}`, { cause, remedy: 'Check the free space and the permissions of the data folder.' });
  } finally {
    rmSync(fresh, { recursive: true, force: true });
    rmSync(passwordFile, { force: true });
  }
}
