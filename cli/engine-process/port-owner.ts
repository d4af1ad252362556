import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { commandLine } from './process-identity.ts';

export interface PortOwner {
  pid: number;
  command: string;
}

/** Why no server could listen there now, as the system's code (`EADDRINUSE`); undefined where one could. */
export function listenProblem(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** Whether a server could listen there now. */
export async function isPortFree(host: string, port: number): Promise<boolean> {
  return (await listenProblem(host, port)) === undefined;
}

/** The given port if it is free, else the next one up that is. */
export async function nextFreePort(host: string, port: number): Promise<number> {
  for (let candidate = port; candidate < Math.min(port + 200, 65_536); candidate++) {
    if (await isPortFree(host, candidate)) return candidate;
  }
  return 0; // any
}

/** Who listens on a port, where the system tells: Linux does, for processes of the same user. */
export function portOwner(port: number): PortOwner | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const inodes = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => listeningInodes(path, port)));
    if (inodes.size === 0) return undefined;
    for (const name of readdirSync('/proc')) {
      const pid = Number(name);
      if (!Number.isInteger(pid) || !holdsSocket(pid, inodes)) continue;
      return { pid, command: commandLine(pid).join(' ').slice(0, 120) };
    }
  } catch {
    return undefined;
  }
  return undefined;
}

function listeningInodes(path: string, port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const listening = '0A';
  return readFileSync(path, 'utf8')
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(`:${hex}`) === true && fields[3] === listening)
    .flatMap((fields) => (fields[9] === undefined ? [] : [fields[9]]));
}

function holdsSocket(pid: number, inodes: ReadonlySet<string>): boolean {
  try {
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      if (inode !== undefined && inodes.has(inode)) return true;
    }
  } catch {
    return false; // gone meanwhile, or another user's
  }
  return false;
}
