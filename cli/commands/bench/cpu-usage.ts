import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pgDataFolder } from '../../engine-process/pgdata-folder.ts';

/** Linux counts in ticks of 10 ms on every platform that Node supports. */
const usPerTick = 10_000;

/** Microseconds of CPU that each part has used so far; undefined where it cannot be told. */
export interface CpuReading {
  engine: number | undefined;
  postgres: number | undefined;
  worker: number | undefined;
  client: number | undefined;
}

export interface CpuSources {
  enginePid: number | undefined;
  /** Folder of an engine with an embedded Postgres. */
  dataDir: string | undefined;
  workerPids: readonly number[];
}

export function readCpu(sources: CpuSources): CpuReading {
  const { user, system } = process.cpuUsage();
  const postmaster = sources.dataDir === undefined ? undefined : postmasterPid(sources.dataDir);
  return {
    engine: sources.enginePid === undefined ? undefined : processUs(sources.enginePid)?.own,
    postgres: postmaster === undefined ? undefined : familyUs(postmaster),
    worker: sum(sources.workerPids.map((pid) => processUs(pid)?.own)),
    client: user + system,
  };
}

function sum(values: readonly (number | undefined)[]): number | undefined {
  return values.reduce<number | undefined>(
    (total, value) => (total === undefined || value === undefined ? undefined : total + value),
    0,
  );
}

interface ProcessUs {
  parent: number;
  own: number;
  /** Of children that have ended and were waited for. */
  ended: number;
}

function processUs(pid: number): ProcessUs | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name may hold spaces and brackets: fields are counted from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = (index: number): number => Number(fields[index]) * usPerTick;
    return { parent: Number(fields[1]), own: ticks(11) + ticks(12), ended: ticks(13) + ticks(14) };
  } catch {
    return undefined;
  }
}

/** A process, its children that live, and those that have ended. */
export function familyUs(root: number): number | undefined {
  const own = processUs(root)?.own;
  const children = childrenUs(root);
  return own === undefined || children === undefined ? undefined : own + children;
}

/** A process's children that live, and those that have ended. */
export function childrenUs(root: number): number | undefined {
  const ended = processUs(root)?.ended;
  if (ended === undefined) return undefined;
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => processUs(Number(name)))
    .filter((one) => one?.parent === root);
  return children.reduce((total, one) => total + (one?.own ?? 0), ended);
}

function postmasterPid(dataDir: string): number | undefined {
  const folder = pgDataFolder(dataDir);
  if (folder === undefined) return undefined;
  try {
    const pid = Number(readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n')[0]);
    return Number.isInteger(pid) ? pid : undefined;
  } catch {
    return undefined;
  }
}
