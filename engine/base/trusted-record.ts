import { lstatSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';

const writableByOthers = 0o022;

/** Who this process is; undefined where the system has no such numbers. */
function ownUid(): number | undefined {
  return process.getuid?.();
}

/**
 * Why a record must not be believed: a file from which a path to delete, a process to end or an address to connect to is
 * read. Whoever else can write it, or put another in its place, decides those. A file that is missing is no reason.
 * @param options.ofFolderOwner whether root takes the word of the folder's owner, for what only concerns that user
 */
export function distrustRecord(path: string, options: { ofFolderOwner?: boolean } = {}): string | undefined {
  const uid = ownUid();
  const file = lstatSync(path, { throwIfNoEntry: false });
  if (uid === undefined || file === undefined) return undefined;
  const folder = statSync(dirname(path));
  if (!file.isFile()) return 'it is not a regular file';
  const isOwn = file.uid === uid || (options.ofFolderOwner === true && uid === 0 && file.uid === folder.uid);
  if (!isOwn) return `it belongs to another user (uid ${file.uid})`;
  if ((file.mode & writableByOthers) !== 0) return 'others can write to it';
  return (folder.mode & writableByOthers) === 0 ? undefined : 'others can write to its folder';
}

/** Whether the folder is one that this user made for itself alone: no link, and closed, save that root's lets others through. */
export function isPrivateFolder(path: string): boolean {
  const uid = ownUid();
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found !== undefined && found.isDirectory() && (uid === undefined || isPrivate(found, uid));
}

function isPrivate({ uid: owner, mode }: Stats, uid: number): boolean {
  const bits = mode & 0o777;
  return owner === uid && (bits === 0o700 || (uid === 0 && bits === 0o711));
}
