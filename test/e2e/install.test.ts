import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { packageRoot } from '../helpers/engine-process.ts';
import { isListening, leftFiles, processesIn } from '../helpers/left-behind.ts';
import { cleanEnv } from '../helpers/run-cli.ts';
import { makeTempFolder } from '../helpers/temp-folder.ts';

/** Install scripts are blocked throughout: several package managers block them by default. */
const blocked = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier'];
const folder = makeTempFolder('install in a path with spaces');
let tarball = '';

interface User {
  name: string;
  ids: { uid: number; gid: number } | undefined;
}

function nobody(): User {
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { name: 'an ordinary user', ids: { uid: id('-u'), gid: id('-g') } };
}

/** Root, for whom Postgres has to be another user, can stand in for an ordinary user too; the reverse does not go. */
const users: User[] =
  process.getuid?.() === 0
    ? [{ name: 'root', ids: undefined }, nobody()]
    : [{ name: 'an ordinary user', ids: undefined }];

/** A folder and a home of a user's own, and programs run there; nothing of the test's own npm is passed on. */
function shellOf(user: User, cwd: string) {
  const env = Object.fromEntries(
    Object.entries(cleanEnv()).filter(([name]) => !name.startsWith('npm_') && name !== 'INIT_CWD'),
  );
  mkdirSync(cwd);
  if (user.ids !== undefined) {
    const home = `${cwd} home`;
    mkdirSync(home);
    for (const path of [cwd, home]) chownSync(path, user.ids.uid, user.ids.gid);
    Object.assign(env, { HOME: home, USER: 'nobody', LOGNAME: 'nobody' });
  }
  const start = (at: string, program: string, args: readonly string[]) =>
    execa(program, args, { cwd: at, env, extendEnv: false, stdin: 'ignore', reject: false, ...user.ids });
  const run = async (at: string, program: string, ...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await start(at, program, args);
    expect(exitCode, `${program} ${args.join(' ')}\n${stdout}\n${stderr}`).toBe(0);
    return stdout;
  };
  return { start, run };
}

/** gRPC, HTTP and Postgres. */
function ports(dataDir: string): number[] {
  return [...readFileSync(join(dataDir, 'engine.json'), 'utf8').matchAll(/127\.0\.0\.1:(\d+)/g)].map((match) =>
    Number(match[1]),
  );
}

/** The files that a part of package.json names, at any depth. */
function filesNamed(part: unknown): string[] {
  if (typeof part === 'string') return [part];
  return typeof part === 'object' && part !== null ? Object.values(part).flatMap(filesNamed) : [];
}

/** By every entry, an ES module and CommonJS get the same copy. */
const loadsOnce = `for (const entry of ['', '/v1', '/engine', '/testing', '/config'])
  import('hatchet-ts' + entry).then((imported) => {
    const required = require('hatchet-ts' + entry);
    const names = Object.keys(imported).filter((name) => imported[name] === required[name]);
    console.log(entry, names.length > 0 && names.length === Object.keys(required).length);
  });`;

async function expectNothingLeft(home: string, watched: readonly number[]): Promise<void> {
  await expect.poll(() => processesIn(home), { interval: 100 }).toEqual([]);
  expect(leftFiles(home)).toEqual([]);
  expect(watched.filter(isListening)).toEqual([]);
}

beforeAll(() => {
  const packed: { filename: string }[] = JSON.parse(
    execFileSync('npm', ['pack', packageRoot, '--ignore-scripts', '--json', '--pack-destination', folder], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  );
  tarball = join(folder, packed[0]?.filename ?? '');
});

afterAll(async () => {
  await vi.waitFor(() => expect(processesIn(folder)).toEqual([]), { timeout: 15_000 });
  rmSync(folder, { recursive: true, force: true });
});

describe.each(users)('the packed package, installed without scripts by $name', (user) => {
  it('scaffolds a project, starts an engine, runs a task and leaves nothing', async () => {
    const home = join(folder, `of ${user.name}`);
    const { start, run } = shellOf(user, home);
    await run(home, 'npm', 'install', ...blocked, tarball);
    const installed = join(home, 'node_modules', 'hatchet-ts');
    const { exports, types, typesVersions, bin }: Record<string, unknown> = JSON.parse(
      readFileSync(join(installed, 'package.json'), 'utf8'),
    );
    const named = filesNamed([exports, types, typesVersions, bin]);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((file) => !existsSync(join(installed, file)))).toEqual([]);
    expect((await run(home, process.execPath, '-e', loadsOnce)).split('\n').sort()).toEqual([
      ' true',
      '/config true',
      '/engine true',
      '/testing true',
      '/v1 true',
    ]);

    await run(home, 'npx', '--no-install', 'hatchet', 'init', 'demo', '--template', 'simple', '--yes');

    const project = join(home, 'demo');
    const manifest = join(project, 'package.json');
    const { dependencies, ...rest }: { dependencies: Record<string, string> } = JSON.parse(
      readFileSync(manifest, 'utf8'),
    );
    expect(Object.keys(dependencies)).toEqual(['hatchet-ts', 'zod']);
    writeFileSync(
      manifest,
      JSON.stringify({ ...rest, dependencies: { ...dependencies, 'hatchet-ts': `file:${tarball}` } }),
    );
    await run(project, 'npm', 'install', ...blocked);

    const hatchet = join(project, 'node_modules', '.bin', 'hatchet');
    const dataDir = join(project, 'engine data');
    const engine: { grpc?: unknown } = JSON.parse(
      await run(
        project,
        hatchet,
        'engine',
        'start',
        '--detach',
        '--data-dir',
        dataDir,
        '--grpc-port',
        '0',
        '--http-port',
        '0',
        '-o',
        'json',
      ),
    );
    expect(engine.grpc).toBeDefined();
    const watched = ports(dataDir);
    expect(watched).toHaveLength(3);
    expect(watched.filter(isListening)).toEqual(watched);

    const worker = start(project, hatchet, ['worker', 'start', '--data-dir', dataDir]);
    try {
      const workers = async () => run(project, hatchet, 'workflows', 'list', '--data-dir', dataDir, '-o', 'json');
      await expect.poll(workers, { interval: 100 }).toContain('"simple"');
      expect(
        await run(
          project,
          hatchet,
          'trigger',
          'workflow',
          'simple',
          '--input',
          '{"message":"Hi"}',
          '--wait',
          '-o',
          'json',
          '--data-dir',
          dataDir,
        ),
      ).toBe('{"message":"hi"}');
    } finally {
      worker.kill('SIGTERM');
      await worker;
      await run(project, hatchet, 'engine', 'stop', '--data-dir', dataDir);
    }
    await expectNothingLeft(home, watched);
  });
});

describe('a checkout, installed without scripts', () => {
  it('builds itself once, at the first command', async () => {
    const clone = join(folder, 'a clone');
    const { run } = shellOf({ name: 'its owner', ids: undefined }, join(folder, 'elsewhere'));
    await run(folder, 'git', 'clone', '--quiet', '--no-hardlinks', packageRoot, clone);
    await run(clone, 'npm', 'ci', ...blocked);
    const bin = join(clone, 'bin', 'hatchet');
    const { version }: { version: string } = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8'));
    const elsewhere = join(folder, 'elsewhere');
    expect(await run(elsewhere, bin, '--version')).toBe(version);
    const stamp = readFileSync(join(clone, 'dist', '.fingerprint'), 'utf8');
    expect(stamp).not.toBe('');

    const dataDir = join(elsewhere, 'data');
    await run(
      elsewhere,
      bin,
      'engine',
      'start',
      '--detach',
      '--data-dir',
      dataDir,
      '--grpc-port',
      '0',
      '--http-port',
      '0',
    );
    const watched = ports(dataDir);
    await run(elsewhere, bin, 'engine', 'stop', '--data-dir', dataDir);
    await expectNothingLeft(folder, watched);
  });
});
