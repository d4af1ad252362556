import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { HatchetError } from '../../base/errors.ts';
import { systemPgData, systemFolders } from './server-user.ts';
import { distrustRecord } from '../../base/trusted-record.ts';

/** What `<dataDir>/postgres.json` (0600) remembers of the embedded pgdata. */
export interface PgData {
  /** The pgdata's own folder, absolute. Stored relative where it is inside the data folder, so that a project can be moved. */
  folder: string;
  password: string;
  /** Used again at the next start when it is free; 0 before the first. */
  port: number;
}

export function recordPath(dataDir: string): string {
  return join(dataDir, 'postgres.json');
}

/**
 * @throws HatchetError DATA_DIR_UNUSABLE when it is there and cannot be read, when somebody else may have written it, or
 * when it names a folder in which no engine makes a pgdata
 */
export function readRecord(dataDir: string): PgData | undefined {
  const path = recordPath(dataDir);
  const distrust = distrustRecord(path, { ofFolderOwner: true });
  if (distrust !== undefined) {
    throw new HatchetError('DATA_DIR_UNUSABLE', `${path} is not to be trusted: ${distrust}`, {
      remedy:
        'If it is yours, make it and its folder your own (chown, chmod 0700); otherwise choose another folder with --data-dir.',
    });
  }
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new HatchetError(
      'DATA_DIR_UNUSABLE',
      `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        cause,
        remedy: 'Run as the user who made the data folder, or choose another with --data-dir.',
      },
    );
  }
  const pgData = parseRecord(text, dataDir);
  if (pgData === undefined) {
    throw new HatchetError('DATA_DIR_UNUSABLE', `${path} holds the password of the embedded Postgres and is damaged`, {
      remedy: 'Restore the file, or delete the data folder to start afresh.',
    });
  }
  // A project that was moved keeps the place that it had under the system folder.
  if (pgData.folder !== innerPgData(dataDir) && dirname(dirname(pgData.folder)) !== systemFolders())
    throw strangeFolder(dataDir, pgData.folder);
  return pgData;
}

function innerPgData(dataDir: string): string {
  return join(resolve(dataDir), 'postgres');
}

function strangeFolder(dataDir: string, folder: string): HatchetError {
  return new HatchetError(
    'DATA_DIR_UNUSABLE',
    `${recordPath(dataDir)} names ${folder}, where no engine of this data folder keeps a cluster`,
    {
      remedy: `Correct "folder" in that file to "postgres" if the cluster is in the data folder; otherwise remove the file and ${folder} by hand.`,
    },
  );
}

/**
 * The record's pgdata, if it lies where this data folder's is made: the only one that may be deleted with the folder.
 * @throws HatchetError DATA_DIR_UNUSABLE where it lies elsewhere
 */
export function readOwnRecord(dataDir: string): PgData | undefined {
  const pgData = readRecord(dataDir);
  if (pgData === undefined || pgData.folder === innerPgData(dataDir) || pgData.folder === systemPgData(dataDir))
    return pgData;
  throw strangeFolder(dataDir, pgData.folder);
}

export function parseRecord(text: string, dataDir: string): PgData | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (
    typeof parsed !== 'object' ||
    parsed === null ||
    !('folder' in parsed) ||
    !('password' in parsed) ||
    !('port' in parsed)
  )
    return undefined;
  const { folder, password, port } = parsed;
  if (typeof folder !== 'string' || typeof password !== 'string' || typeof port !== 'number') return undefined;
  return { folder: resolve(dataDir, folder), password, port };
}

function formatRecord(dataDir: string, pgData: PgData): string {
  const inside = relative(resolve(dataDir), pgData.folder);
  const folder = inside.startsWith('..') || isAbsolute(inside) ? pgData.folder : inside;
  return `${JSON.stringify({ ...pgData, folder }, null, 2)}\n`;
}

export function writeRecord(dataDir: string, pgData: PgData): void {
  const fresh = `${recordPath(dataDir)}.${process.pid}`;
  writeFileSync(fresh, formatRecord(dataDir, pgData), { mode: 0o600 });
  renameSync(fresh, recordPath(dataDir));
}

/** Of two processes that make the record at once, one wins, and both go on with its password. */
export function createRecord(dataDir: string, pgData: PgData): PgData {
  const fresh = `${recordPath(dataDir)}.${process.pid}`;
  writeFileSync(fresh, formatRecord(dataDir, pgData), { mode: 0o600 });
  try {
    linkSync(fresh, recordPath(dataDir));
    return pgData;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    return readRecord(dataDir) ?? pgData;
  } finally {
    rmSync(fresh, { force: true });
  }
}
