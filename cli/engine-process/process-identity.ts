import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { isRecord } from '../project/json-value.ts';

/** The command line of a process, or nothing when it is gone. Linux has it in /proc; elsewhere `ps` is asked. */
export function commandLine(pid: number): readonly string[] {
  try {
    if (existsSync('/proc/self/cmdline'))
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        .split('\0')
        .filter((part) => part !== '');
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
      .trim()
      .split(' ');
  } catch {
    return [];
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  // A zombie has no command line; whoever reaps it, it holds nothing any more.
  return process.platform !== 'linux' || commandLine(pid).length > 0;
}

function sameFolder(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b);
  } catch {
    return a === b;
  }
}

/** Whether the pid is an engine on this data folder: pids are given out again, and a record may outlive its process. */
export function isEngineOf(pid: number, dataDir: string): boolean {
  if (!Number.isInteger(pid) || pid <= 1 || !isAlive(pid)) return false;
  const line = commandLine(pid);
  if (!line.some((part) => part.endsWith('main.js') || part.endsWith('main.ts'))) return false;
  const options = line.find((part) => part.startsWith('{'));
  if (options === undefined) return false;
  try {
    const parsed: unknown = JSON.parse(options);
    return isRecord(parsed) && typeof parsed['dataDir'] === 'string' && sameFolder(parsed['dataDir'], dataDir);
  } catch {
    // `ps` joins arguments with spaces, so that JSON with spaces falls apart: the entry's name has to do.
    return true;
  }
}
