import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { RunnerUsage } from './runner-link.ts';

/** Of Linux's clock in /proc, the same on all its platforms. */
const ticksPerSecond = 100;

/** Whether this platform tells what other processes use. */
export const tellsUsage = process.platform !== 'win32';

/** What a process uses. `undefined` where it is gone, or the platform does not tell. */
export async function processUsage(pid: number): Promise<RunnerUsage | undefined> {
  try {
    return process.platform === 'linux'
      ? await fromProc(await innermost(pid))
      : tellsUsage
        ? await fromPs(pid)
        : undefined;
  } catch {
    return undefined;
  }
}

async function fromProc(pid: number): Promise<RunnerUsage> {
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/status`, 'utf8'),
  ]);
  // After the name, which may hold spaces and brackets: state is field 3, utime 14, stime 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[14 - 3]) + Number(fields[15 - 3]);
  const kilobytes = /^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1];
  return {
    busyMs: (ticks * 1000) / ticksPerSecond,
    memory: kilobytes === undefined ? undefined : Number(kilobytes) * 1024,
  };
}

/** A sandbox's process is the only child of the program that has made its namespaces. */
async function innermost(pid: number): Promise<number> {
  const [child] = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')).split(' ');
  return child === undefined || child === '' || !(await isNamespaceMaker(pid)) ? pid : Number(child);
}

async function isNamespaceMaker(pid: number): Promise<boolean> {
  return (await readFile(`/proc/${pid}/comm`, 'utf8')).trim() === 'unshare';
}

/** `ps` prints kilobytes, and a time as [[days-]hours:]minutes:seconds. */
async function fromPs(pid: number): Promise<RunnerUsage | undefined> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=,time=', '-p', String(pid)]);
  const [kilobytes = '', time = ''] = stdout.trim().split(/\s+/);
  const [clock = '', days = '0'] = time.split('-').toReversed();
  const seconds = clock.split(':').reduce((sum, part) => sum * 60 + Number(part.replace(',', '.')), 0);
  return kilobytes === ''
    ? undefined
    : { busyMs: (Number(days) * 86_400 + seconds) * 1000, memory: Number(kilobytes) * 1024 };
}
