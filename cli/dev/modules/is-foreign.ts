import { join, sep } from 'node:path';
import { packageRoot } from '../../package-root.ts';

const ownCode = join(packageRoot().folder, 'dist') + sep;

/** Whether a file is no part of the project: of a package, or of this one where a project links it. */
export function isForeign(file: string): boolean {
  return file.includes(`${sep}node_modules${sep}`) || file.startsWith(ownCode);
}
