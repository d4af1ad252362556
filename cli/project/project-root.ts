import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

function nearest(start: string, name: string): string | undefined {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, name))) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}

/** The nearest ancestor with `.hatchet`, else with `package.json`, else the folder itself. */
export function projectRoot(cwd: string): string {
  const start = resolve(cwd);
  return nearest(start, '.hatchet') ?? nearest(start, 'package.json') ?? start;
}

/** The data folder: the given one, or `.hatchet` in the project. Absolute. */
export function dataFolder(cwd: string, given: string | undefined): string {
  return given === undefined ? join(projectRoot(cwd), '.hatchet') : resolve(cwd, given);
}
