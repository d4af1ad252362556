import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { HatchetError } from '../../base/errors.ts';
import type { Binaries } from './binaries.ts';
import { createRecord, recordPath, readRecord, type PgData } from './pgdata-record.ts';
import { isAlive, runningPostmaster } from './postmaster.ts';
import { makeSystemFolder, systemKey, type ServerUser } from './server-user.ts';

const run = promisify(execFile);

/** Folders such as /tmp have it. */
const stickyBit = 0o1000;

/** Makes the data folder: closed to others, except that root's must let the server's user through to the pgdata. */
export function prepareDataDir(dataDir: string, user: ServerUser): void {
  try {
    mkdirSync(dataDir, { recursive: true });
    const mode = user.isRoot ? 0o711 : 0o700;
    const found = statSync(dataDir).mode;
    if ((found & stickyBit) !== 0) throw new Error('all users share it');
    if ((found & 0o777) !== mode) chmodSync(dataDir, mode);
    const ignore = join(dataDir, '.gitignore');
    if (!existsSync(ignore)) writeFileSync(ignore, '*\n');
  } catch (cause) {
    throw new HatchetError(
      'DATA_DIR_UNUSABLE',
      `the data folder ${dataDir} cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        cause,
        remedy: 'Choose another with --data-dir.',
      },
    );
  }
}

function reachableByOthers(path: string): boolean {
  for (let folder = path; ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false;
    if (dirname(folder) === folder) return true;
  }
}

function chooseFolder(dataDir: string, user: ServerUser): string {
  const absolute = resolve(dataDir);
  if (!user.isRoot || reachableByOthers(absolute)) return join(absolute, 'postgres');
  return join(makeSystemFolder(user, systemKey(absolute)), 'postgres');
}

/** The version that made it; nothing where it cannot be read. */
export function pgDataMajor(folder: string): number | undefined {
  try {
    const major = Number.parseInt(readFileSync(join(folder, 'PG_VERSION'), 'utf8'), 10);
    return Number.isNaN(major) ? undefined : major;
  } catch {
    return undefined;
  }
}

function hasPgData(folder: string): boolean {
  return existsSync(join(folder, 'PG_VERSION'));
}

/** What an engine leaves beside the record: with any of these here, the data folder was not deleted. */
const tracesOfEngine = ['token', 'engine.json', 'postgres.log'];

/**
 * A pgdata without its record has lost its password. Outside the data folder that is what deleting the data folder
 * leaves behind, and it goes too; inside, only the file is missing, and nothing is deleted for that.
 */
function clearOrphan(dataDir: string, folder: string): void {
  if (!hasPgData(folder)) return;
  if (
    dirname(folder) !== resolve(dataDir) &&
    tracesOfEngine.every((name) => !existsSync(join(dataDir, name))) &&
    runningPostmaster(folder) === undefined
  ) {
    rmSync(folder, { recursive: true });
    return;
  }
  throw new HatchetError(
    'DATA_DIR_UNUSABLE',
    `${recordPath(dataDir)} is missing, and with it the password of the database in ${folder}`,
    {
      remedy: 'Restore the file, or delete the data folder and that database to start afresh.',
    },
  );
}

/**
 * The data folder's pgdata, made with initdb the first time. The record is written before the pgdata gets its name,
 * so that a kill in between leaves either nothing or a pgdata whose password is known.
 * @throws HatchetError DATA_DIR_UNUSABLE, POSTGRES_START, DISK_FULL
 */
export async function openPgData(
  dataDir: string,
  options: { user: ServerUser; binaries: Binaries },
): Promise<{ pgData: PgData; created: boolean }> {
  let pgData = readRecord(dataDir);
  if (pgData === undefined) {
    const folder = chooseFolder(dataDir, options.user);
    clearOrphan(dataDir, folder);
    pgData = createRecord(dataDir, { folder, password: randomBytes(24).toString('base64url'), port: 0 });
  }
  if (hasPgData(pgData.folder)) return { pgData, created: false };
  await initialize(pgData, options);
  return { pgData, created: true };
}

/** What a process that was killed during initdb left. */
/** Also where a server that initdb had started, and that outlived it for a moment, still writes. */
function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}

function removeUnfinished(folder: string): void {
  const unfinished = new RegExp(`^${basename(folder)}\\.(\\d+)\\.new(\\.pw)?$`);
  for (const name of readdirSync(dirname(folder))) {
    const pid = Number(unfinished.exec(name)?.[1] ?? Number.NaN);
    if (Number.isInteger(pid) && !isAlive(pid)) removeFolder(join(dirname(folder), name));
  }
}

async function initialize(pgData: PgData, options: { user: ServerUser; binaries: Binaries }): Promise<void> {
  const { user, binaries } = options;
  const parent = dirname(pgData.folder);
  const fresh = `${pgData.folder}.${process.pid}.new`;
  const passwordFile = `${fresh}.pw`;
  try {
    removeUnfinished(pgData.folder);
    removeFolder(fresh);
    mkdirSync(fresh, { mode: 0o700 });
    user.own(fresh);
    writeFileSync(passwordFile, pgData.password, { mode: 0o600 });
    user.own(passwordFile);
    // Synced to disk (60 ms): a pgdata lost to a power cut would take acknowledged runs with it.
    await run(
      binaries.initdb,
      [
        '-D',
        fresh,
        '-U',
        'postgres',
        '--auth=scram-sha-256',
        `--pwfile=${passwordFile}`,
        '--encoding=UTF8',
        '--locale=C',
        '--no-instructions',
      ],
      {
        ...user.spawn,
        cwd: parent,
        env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' },
      },
    );
    try {
      renameSync(fresh, pgData.folder);
    } catch (error) {
      if (!hasPgData(pgData.folder)) throw error; // otherwise another engine was faster
    }
  } catch (cause) {
    const detail =
      cause instanceof Error && 'stderr' in cause && typeof cause.stderr === 'string' && cause.stderr !== ''
        ? cause.stderr.trim()
        : String(cause);
    const full = detail.includes('No space left on device') || detail.includes('ENOSPC');
    throw new HatchetError(
      full ? 'DISK_FULL' : 'POSTGRES_START',
      `a new Postgres cluster could not be made in ${pgData.folder}: ${detail}`,
      {
        cause,
        remedy: full
          ? 'Free some space (a new cluster takes 40 MB) and start again.'
          : 'Check the permissions of the data folder.',
      },
    );
  } finally {
    removeFolder(fresh);
    rmSync(passwordFile, { force: true });
  }
}
