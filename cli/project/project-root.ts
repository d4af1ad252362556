import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { wrongUse } from '../cli-error.ts';

const markers = ['package.json', 'hatchet.yaml', 'hatchet.yml'];

function nearest(start: string, names: readonly string[]): string | undefined {
  for (let folder = start; ; folder = dirname(folder)) {
    if (names.some((name) => existsSync(join(folder, name)))) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}

/** The nearest ancestor with `.hatchet`, else with `package.json` or `hatchet.yaml`, else the folder itself. */
export function projectRoot(cwd: string): string {
  const start = resolve(cwd);
  return nearest(start, ['.hatchet']) ?? nearest(start, markers) ?? start;
}

/** The data folder: the given one, or `.hatchet` in the project. Absolute. @throws CliError with exit code 2 where it is a file */
export function dataFolder(cwd: string, given: string | undefined): string {
  const folder = given === undefined ? join(projectRoot(cwd), '.hatchet') : resolve(cwd, given);
  if (existsSync(folder) && !statSync(folder).isDirectory())
    throw wrongUse(
      `${folder} is a file, not a data folder`,
      'Name a folder with --data-dir; one that is missing is made.',
    );
  return folder;
}
