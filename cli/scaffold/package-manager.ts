import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isRecord } from '../project/json-value.ts';

export const packageManagers = ['npm', 'pnpm', 'yarn', 'bun'] as const;
export type PackageManager = (typeof packageManagers)[number];

const lockFiles: readonly (readonly [string, PackageManager])[] = [
  ['pnpm-lock.yaml', 'pnpm'],
  ['pnpm-workspace.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
  ['package-lock.json', 'npm'],
  ['npm-shrinkwrap.json', 'npm'],
];

/**
 * Whose commands a project is used with: what its package.json, or that of the workspace around it, names; else whose lock file
 * is there; else who has called this command.
 */
export function findPackageManager(folder: string, userAgent: string | undefined): PackageManager {
  for (let at = folder; ; at = dirname(at)) {
    const found = namedIn(join(at, 'package.json')) ?? lockFiles.find(([name]) => existsSync(join(at, name)))?.[1];
    if (found !== undefined) return found;
    // Above the repository lies what does not concern it.
    if (existsSync(join(at, '.git')) || dirname(at) === at) break;
  }
  return packageManagers.find((name) => userAgent?.startsWith(`${name}/`) === true) ?? 'npm';
}

function namedIn(path: string): PackageManager | undefined {
  try {
    const manifest: unknown = JSON.parse(readFileSync(path, 'utf8').replace(/^\uFEFF/, ''));
    const named: unknown = isRecord(manifest) ? manifest['packageManager'] : undefined;
    return typeof named === 'string' ? packageManagers.find((name) => named.startsWith(`${name}@`)) : undefined;
  } catch {
    return undefined; // None, or one that cannot be read: a project's own is refused where it is parsed.
  }
}
