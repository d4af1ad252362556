import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface MigrationFile {
  /** As stored: the file's name without `.sql`. */
  name: string;
  /** sha256 of the text, line ends normalised. */
  checksum: string;
}

/** `migrations/` at the root of the package, seen from the sources and from dist alike. */
export function migrationsFolder(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const candidate = join(folder, 'migrations');
    if (existsSync(join(candidate, '0001_core.sql'))) return candidate;
    if (dirname(folder) === folder) throw new Error('the migrations folder of the package is missing');
  }
}

export function migrationFiles(folder: string): MigrationFile[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => ({
      name: file.slice(0, -'.sql'.length),
      checksum: createHash('sha256')
        .update(readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n'))
        .digest('hex'),
    }));
}
