/** The Node on which clients, workers and engines run. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { here } from './helpers.ts';

export interface NodeBinary {
  path: string;
  /** Such as `24.21.0`. */
  version: string;
}

const modules = join(here, 'node_modules');

/**
 * @param wanted a path, or a major version: that of this process, or one that is installed in this folder as a package
 * @throws Error where there is none
 */
export function findNode(wanted: string | undefined): NodeBinary {
  const [own] = process.versions.node.split('.');
  if (wanted === undefined || wanted === own) return { path: process.execPath, version: process.versions.node };
  const path = /^\d+$/.test(wanted) ? installed(wanted) : wanted;
  if (path === undefined || !existsSync(path))
    throw new Error(`there is no Node ${wanted}: --node takes a path or ${[own, ...majors()].join(', ')}`);
  return { path, version: execFileSync(path, ['--version'], { encoding: 'utf8' }).trim().replace(/^v/, '') };
}

/** By the name of its platform's package, which bench/peers/package.json gives it. */
function installed(major: string): string | undefined {
  const path = join(modules, `node-${major}-${process.platform}-${process.arch}`, 'bin/node');
  return existsSync(path) ? path : undefined;
}

function majors(): string[] {
  const suffix = `-${process.platform}-${process.arch}`;
  return readdirSync(modules).flatMap((name) =>
    name.startsWith('node-') && name.endsWith(suffix) ? [name.slice('node-'.length, -suffix.length)] : [],
  );
}
