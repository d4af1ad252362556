import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { wrongUse } from '../cli-error.ts';
import type { TemplateFile } from './find-template.ts';

/**
 * Writes all files, or none: a file that is there with another content is never touched.
 * @returns the paths written
 * @throws CliError with exit code 2 that names the conflicts
 */
export function writeFiles(folder: string, files: readonly TemplateFile[]): readonly string[] {
  if (existsSync(folder) && !statSync(folder).isDirectory()) throw wrongUse(`${folder} is a file`, 'Choose another folder.');
  const conflicts = files.filter((file) => isOther(join(folder, file.path), file.text)).map((file) => file.path);
  if (conflicts.length > 0) throw wrongUse(`${folder} has files of these names already: ${conflicts.join(', ')}`, 'Choose an empty folder, or move them away.');
  const missing = files.filter((file) => !existsSync(join(folder, file.path)));
  for (const { path, text } of missing) {
    const full = join(folder, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text, { flag: 'wx' });
  }
  return missing.map((file) => file.path);
}

function isOther(path: string, text: string): boolean {
  if (!existsSync(path)) return false;
  return statSync(path).isDirectory() || readFileSync(path, 'utf8') !== text;
}
