import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Who Postgres runs as: it refuses root, so root starts it as `nobody`. */
export interface ServerUser {
  /** For child_process. */
  spawn: { uid?: number; gid?: number };
  /** Gives a path to that user; nothing to do when it is us. */
  own(path: string): void;
  isRoot: boolean;
}

function numericId(flag: '-u' | '-g'): number {
  try {
    return Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim());
  } catch {
    return 65534;
  }
}

/** @param cluster the folder of an existing cluster: root runs it as its owner, so that one made by an ordinary user still starts */
export function serverUser(cluster?: string): ServerUser {
  if (process.getuid?.() !== 0) return { spawn: {}, own: () => undefined, isRoot: false };
  const owner = cluster === undefined ? undefined : statSync(cluster, { throwIfNoEntry: false });
  const [uid, gid] = owner === undefined || owner.uid === 0 ? [numericId('-u'), numericId('-g')] : [owner.uid, owner.gid];
  return { spawn: { uid, gid }, own: (path) => chownSync(path, uid, gid), isRoot: true };
}

/** A folder that the server's user can reach whatever the project's own path: for copies and clusters that cannot stay with it. */
function systemFolder(user: ServerUser): string {
  return user.isRoot ? '/var/lib/hatchet-ts' : join(homedir(), '.local', 'share', 'hatchet-ts');
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
