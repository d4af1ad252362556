import { execFileSync } from 'node:child_process';
import { existsSync, linkSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface Postmaster {
  pid: number;
  /** NaN until the server has got that far in its start. */
  port: number;
}

function commandLine(pid: number): string {
  try {
    if (existsSync('/proc/self/cmdline')) return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}

function readStat(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return `${pid} (gone) Z`;
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  // A zombie answers signals too; it holds nothing any more.
  return !existsSync('/proc/self/stat') || !/^\d+ \(.*\) Z/s.test(readStat(pid));
}

function ownerOf(pid: number): number {
  try {
    if (existsSync('/proc/self')) return statSync(`/proc/${pid}`).uid;
    return Number(execFileSync('ps', ['-o', 'uid=', '-p', String(pid)], { encoding: 'utf8' }));
  } catch {
    return Number.NaN;
  }
}

/**
 * Whether the process is a server on the folder; the pid of a dead one may have gone to another process. It has to belong to
 * the pgdata's owner, who writes the pid file: root would end whatever process that user names.
 */
export function isServerOf(pid: number, folder: string): boolean {
  if (!isAlive(pid) || !commandLine(pid).includes(folder)) return false;
  // A pgdata that was deleted under its server has no pid file either: this pid is one that we started.
  const pgData = statSync(folder, { throwIfNoEntry: false });
  return pgData === undefined || process.getuid === undefined || ownerOf(pid) === pgData.uid;
}

function pidFile(folder: string): string {
  return join(folder, 'postmaster.pid');
}

function readPidFile(path: string): Postmaster | undefined {
  try {
    const lines = readFileSync(path, 'utf8').split('\n');
    const pid = Number(lines[0]);
    const port = lines[3] === undefined || lines[3] === '' ? Number.NaN : Number(lines[3]);
    return Number.isInteger(pid) && pid > 1 ? { pid, port } : undefined;
  } catch {
    return undefined;
  }
}

/** The Postgres that runs on the folder, whoever started it; a pid file left by a dead one, or a reused pid, is none. */
export function runningPostmaster(folder: string): Postmaster | undefined {
  const found = readPidFile(pidFile(folder));
  return found !== undefined && isServerOf(found.pid, folder) ? found : undefined;
}

/**
 * Postgres recovers the pid file of a dead server itself, unless that pid now belongs to another process of its user:
 * then it refuses to start. The file is taken away by a rename and looked at again, since two servers on one folder
 * destroy it: should a server have started in between, its file is put back.
 */
export function clearReusedPid(folder: string): void {
  const path = pidFile(folder);
  const stale = readPidFile(path);
  if (stale === undefined || !isAlive(stale.pid) || isServerOf(stale.pid, folder)) return;
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
    if (readPidFile(aside)?.pid !== stale.pid) linkSync(aside, path);
  } finally {
    rmSync(aside, { force: true });
  }
}
