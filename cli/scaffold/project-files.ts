import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { wrongUse } from '../cli-error.ts';

/** The text of a project's file by its path with `/`; nothing where there is none. */
export type ReadFile = (path: string) => string | undefined;

/** @throws CliError with exit code 2 where the folder is a file, or a folder stands where a file should */
export function projectFiles(folder: string): ReadFile {
  if (existsSync(folder) && !statSync(folder).isDirectory())
    throw wrongUse(`${folder} is a file`, 'Choose another folder.');
  return (path) => {
    const full = join(folder, path);
    if (!existsSync(full)) return undefined;
    if (statSync(full).isDirectory())
      throw wrongUse(
        `${full} is a folder, and a file of that name is needed`,
        'Move it away, or choose another folder.',
      );
    return readFileSync(full, 'utf8');
  };
}
