import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface PackageRoot {
  folder: string;
  version: string;
  /** A clone of the repository rather than an installed package. */
  isCheckout: boolean;
}

let found: PackageRoot | undefined;

/** The folder of this package, whether the code runs from dist, from a chunk or from source. */
export function packageRoot(): PackageRoot {
  found ??= find(dirname(fileURLToPath(import.meta.url)));
  return found;
}

function find(start: string): PackageRoot {
  for (let folder = start; ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest)) {
      const { name, version }: { name?: unknown; version?: unknown } = JSON.parse(readFileSync(manifest, 'utf8'));
      if (name === 'hatchet-ts' && typeof version === 'string')
        return { folder, version, isCheckout: existsSync(join(folder, 'cli', 'bin.ts')) };
    }
    if (dirname(folder) === folder) throw new Error(`package.json of hatchet-ts was not found above ${start}`);
  }
}

/** The engine's process entry. */
export function engineEntry(): string {
  return join(packageRoot().folder, 'dist', 'engine', 'main.js');
}
