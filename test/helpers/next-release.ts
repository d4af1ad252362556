import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from './engine-process.ts';

/**
 * The built package as its next release would be installed: a later version, and migrations more than this one has.
 * @param folder does not exist yet
 * @param migrations texts by name
 */
export function makeNextRelease(folder: string, version: string, migrations: Readonly<Record<string, string>>): void {
  mkdirSync(folder, { recursive: true });
  for (const part of ['bin', 'dist', 'migrations', 'templates'])
    cpSync(join(packageRoot, part), join(folder, part), { recursive: true });
  symlinkSync(join(packageRoot, 'node_modules'), join(folder, 'node_modules'), 'dir');
  const manifest: object = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...manifest, version }));
  for (const [name, text] of Object.entries(migrations)) writeFileSync(join(folder, 'migrations', `${name}.sql`), text);
}
