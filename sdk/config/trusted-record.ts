import { lstatSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const writableByOthers = 0o022;

/**
 * Why the token or the addresses in a file of a data folder must not be believed: whoever else could have written them
 * decides where tokens and inputs go. Folders above the present one are searched, and /tmp may be among them.
 * A file that is missing is no reason.
 */
export function distrustRecord(path: string): string | undefined {
  const uid = process.getuid?.();
  const file = lstatSync(path, { throwIfNoEntry: false });
  if (uid === undefined || file === undefined) return undefined;
  if (!file.isFile()) return 'it is not a regular file';
  if (file.uid !== uid) return `it belongs to another user (uid ${file.uid})`;
  if ((file.mode & writableByOthers) !== 0) return 'others can write to it';
  return (statSync(dirname(path)).mode & writableByOthers) === 0 ? undefined : 'others can write to its folder';
}
