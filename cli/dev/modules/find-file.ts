import { statSync } from 'node:fs';
import { join } from 'node:path';

const candidates = ['.ts', '.tsx', '.mts', '.cts', '.jsx', '.js', '.mjs', '.cjs', '.json'];
const counterparts: Readonly<Record<string, readonly string[]>> = {
  '.js': ['.ts', '.tsx'],
  '.jsx': ['.tsx'],
  '.mjs': ['.mts'],
  '.cjs': ['.cts'],
};

/** The file that a path means which has no extension, or that of what it will be compiled to. */
export function findFile(path: string): string | undefined {
  if (isFile(path)) return path;
  const [extension = ''] = /\.[^./\\]+$/.exec(path) ?? [];
  const stem = path.slice(0, path.length - extension.length);
  for (const other of counterparts[extension] ?? []) if (isFile(stem + other)) return stem + other;
  for (const other of candidates) if (isFile(path + other)) return path + other;
  for (const other of candidates) if (isFile(join(path, `index${other}`))) return join(path, `index${other}`);
  return undefined;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
