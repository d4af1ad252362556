import { execFileSync } from 'node:child_process';
import { chownSync } from 'node:fs';
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

export function serverUser(): ServerUser {
  if (process.getuid?.() !== 0) return { spawn: {}, own: () => undefined, isRoot: false };
  const uid = numericId('-u');
  const gid = numericId('-g');
  return { spawn: { uid, gid }, own: (path) => chownSync(path, uid, gid), isRoot: true };
}

/** A folder that the server's user can reach whatever the project's own path: for copies and clusters that cannot stay with it. */
export function systemFolder(user: ServerUser): string {
  return user.isRoot ? '/var/lib/hatchet-ts' : join(homedir(), '.local', 'share', 'hatchet-ts');
}
