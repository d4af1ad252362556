import { existsSync, readFileSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';

/** What says how modules are found and compiled: of each module the nearest tsconfig.json with what it extends, and the nearest package.json. */
export function configFiles(modules: readonly string[]): string[] {
  const found = new Set<string>();
  const seen = new Set<string>();
  for (const module of modules) {
    for (const name of ['tsconfig.json', 'package.json']) {
      const nearest = nearestFile(dirname(module), { name, seen });
      if (nearest !== undefined) addExtended(nearest, found);
    }
  }
  return [...found];
}

/** Nothing also where it was looked for before. */
function nearestFile(start: string, { name, seen }: { name: string; seen: Set<string> }): string | undefined {
  for (let folder = start; ; folder = dirname(folder)) {
    const path = join(folder, name);
    if (seen.has(path)) return undefined;
    seen.add(path);
    if (existsSync(path)) return path;
    if (dirname(folder) === folder) return undefined;
  }
}

/** Those of packages are left out: they come with an installation, which changes a package.json or a lock file. */
function addExtended(path: string, found: Set<string>): void {
  if (found.has(path) || !existsSync(path)) return;
  found.add(path);
  if (!path.endsWith('.json') || path.endsWith('package.json')) return;
  const [, value = ''] = /"extends"\s*:\s*("(?:[^"\\]|\\.)*"|\[[^\]]*\])/.exec(readFileSync(path, 'utf8')) ?? [];
  for (const [, name = ''] of value.matchAll(/"((?:[^"\\]|\\.)*)"/g)) {
    if (!name.startsWith('.') && !name.startsWith('/')) continue;
    const base = resolve(dirname(path), name);
    addExtended(extname(base) === '.json' ? base : existsSync(base) ? base : `${base}.json`, found);
  }
}
