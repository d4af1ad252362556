import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Who Postgres runs as: it refuses root, so root starts it as another. */
export interface ServerUser {
  /** For child_process. */
  spawn: { uid?: number; gid?: number };
  /** Gives a path to that user; nothing to do when it is us. */
  own(path: string): void;
  isRoot: boolean;
}

interface Ids {
  uid: number;
  gid: number;
}

function idsOf(name: string): Ids | undefined {
  const id = (flag: '-u' | '-g'): number =>
    Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim());
  try {
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    return undefined; // the system has no such user
  }
}

/** The system's own user for Postgres if there is one: other services run as `nobody` too, and could read the pgdata. */
function unprivileged(): Ids {
  return idsOf('postgres') ?? idsOf('nobody') ?? { uid: 65534, gid: 65534 };
}

/** @param pgData the folder of an existing pgdata: root runs it as its owner, whoever that is */
export function serverUser(pgData?: string): ServerUser {
  if (process.getuid?.() !== 0) return { spawn: {}, own: () => undefined, isRoot: false };
  const owner = pgData === undefined ? undefined : statSync(pgData, { throwIfNoEntry: false });
  const { uid, gid } = owner === undefined || owner.uid === 0 ? unprivileged() : owner;
  return { spawn: { uid, gid }, own: (path) => chownSync(path, uid, gid), isRoot: true };
}

const rootsSystemFolder = '/var/lib/hatchet-ts';

/** A folder that the server's user can reach whatever the project's own path: for copies and pgdata that cannot stay with it. */
function systemFolder(user: ServerUser): string {
  return user.isRoot ? rootsSystemFolder : join(homedir(), '.local', 'share', 'hatchet-ts');
}

/** Where root keeps pgdata that cannot stay in a data folder, a folder each; undefined for others, who have none. */
export function systemFolders(): string | undefined {
  return process.getuid?.() === 0 ? rootsSystemFolder : undefined;
}

/** The name of a data folder's own place there. */
export function systemKey(dataDir: string): string {
  return createHash('sha256').update(resolve(dataDir)).digest('hex').slice(0, 16);
}

/** The pgdata of a data folder there, whether it has one or not. */
export function systemPgData(dataDir: string): string | undefined {
  const folders = systemFolders();
  return folders === undefined ? undefined : join(folders, systemKey(dataDir), 'postgres');
}

/** Makes a folder under the system folder that the server's user can pass through, whatever the umask. */
export function makeSystemFolder(user: ServerUser, ...names: string[]): string {
  let path = systemFolder(user);
  mkdirSync(path, { recursive: true });
  if (user.isRoot) chmodSync(path, 0o711);
  for (const name of names) {
    path = join(path, name);
    mkdirSync(path, { recursive: true });
    if (user.isRoot) chmodSync(path, 0o711);
  }
  return path;
}
