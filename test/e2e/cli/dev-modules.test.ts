import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { packageRoot } from '../../helpers/engine-process.ts';
import { processesIn } from '../../helpers/left-behind.ts';
import { makeMonorepo, monorepoReport } from '../../helpers/monorepo.ts';
import { CliSession, runCli } from '../../helpers/run-cli.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const folder = makeTempFolder('dev modules');
const anyPorts = ['--grpc-port', '0', '--http-port', '0'];
let app = '';
let dev: CliSession;

async function report(): Promise<unknown> {
  const { stdout, stderr } = await runCli(['trigger', 'workflow', 'report', '--wait', '-o', 'json'], { cwd: app });
  return stdout === '' ? stderr : JSON.parse(stdout);
}

beforeAll(async () => {
  app = makeMonorepo(join(folder, 'mono'));
  dev = new CliSession(['dev', '--no-tui', ...anyPorts], { cwd: app });
  await vi.waitFor(() => expect(dev.output).toMatch(/serving/), { timeout: 30_000 });
});

afterAll(async () => {
  await dev.end('SIGINT');
  await vi.waitFor(() => expect(processesIn(folder)).toEqual([]), { timeout: 15_000 });
  rmSync(folder, { recursive: true, force: true });
});

/** A change of each kind of file that makes up the program, and what the task then reports of it. */
const changes: readonly { file: string; from: string; to: string; shows: object }[] = [
  { file: '../packages/text/src/index.ts', from: 'tag 1', to: 'tag 2', shows: { tag: 'tag 2' } },
  { file: '../packages/legacy/lib/index.js', from: 'legacy 1', to: 'legacy 2', shows: { legacy: 'legacy 2' } },
  {
    file: '../packages/legacy/lib/helper.ts',
    from: 'helper 1',
    to: 'helper 2',
    shows: { helper: 'helper 2 helper.ts' },
  },
  { file: 'src/common.cts', from: 'common 1', to: 'common 2', shows: { common: 'common 2 true' } },
  { file: 'src/data.json', from: 'data 1', to: 'data 2', shows: { data: 'data 2' } },
  // A file that no import names.
  { file: 'src/plugins/plugin.mts', from: 'plugin 1', to: 'plugin 2', shows: { plugins: ['plugin 2 of path 1'] } },
  { file: 'src/thread-answer.ts', from: 'thread 1', to: 'thread 2', shows: { threaded: 'thread 2 thread-answer.ts' } },
  { file: '.env', from: 'setting 1', to: 'setting 2', shows: { setting: 'setting 2' } },
  // Another file of the same name, by what the app's tsconfig extends.
  {
    file: '../tsconfig.base.json',
    from: './app/src/lib/*',
    to: './app/src/other/*',
    shows: { path: 'path 2', plugins: ['plugin 2 of path 2'] },
  },
];

describe('a monorepo', () => {
  it('runs its own modules: paths, threads, CommonJS, workspace packages, files beside them', async () => {
    expect(await report()).toEqual(monorepoReport);
  });

  it('reloads on a change of whatever it has loaded', async () => {
    mkdirSync(join(app, 'src', 'other'));
    writeFileSync(join(app, 'src', 'other', 'path.ts'), `export const path: string = 'path 2';\n`);
    let expected: object = monorepoReport;
    let reloads = 0;
    for (const { file, from, to, shows } of changes) {
      const path = join(app, file);
      const text = readFileSync(path, 'utf8');
      expect(text).toContain(from);
      writeFileSync(path, text.replace(from, to));
      reloads++;
      await vi.waitFor(() => expect(dev.output, file).toContain(`reload ${reloads}\n`), { timeout: 20_000 });
      expected = { ...expected, ...shows };
      expect(await report()).toEqual(expected);
    }
  });

  it('keeps the last good worker while a package of the workspace has a mistake', async () => {
    const path = join(app, '../packages/text/src/index.ts');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, `${text}const a = ;\n`);
    await expect
      .poll(() => dev.output)
      .toMatch(/the last good one keeps serving\n +\.\.\/packages\/text\/src\/index\.ts:11:11 +Unexpected ";"/);
    expect(await report()).toMatchObject({ tag: 'tag 2' });
    writeFileSync(path, text.replace('tag 2', 'tag 3'));
    await expect.poll(report).toMatchObject({ tag: 'tag 3' });
  });

  it('says where its code failed', async () => {
    const path = join(app, '../packages/text/src/index.ts');
    writeFileSync(
      path,
      readFileSync(path, 'utf8').replace(
        `export const word: string = new Text().word;`,
        `interface Long {\n  a: string;\n}\nexport const word = (undefined as unknown as Long).a;`,
      ),
    );
    await expect.poll(() => dev.output).toMatch(/packages\/text\/src\/index\.ts:12:\d+/);
  });

  it('runs the same from `worker start`', async () => {
    await dev.end('SIGINT');
    await runCli(['engine', 'start', '--detach', ...anyPorts], { cwd: app });
    writeFileSync(
      join(app, '../packages/text/src/index.ts'),
      `export const word: string = 'word 3', tag: string = 'tag 3';\n`,
    );
    const worker = new CliSession(['worker', 'start'], { cwd: app });
    await expect.poll(() => worker.output).toContain('serving');
    expect(await report()).toEqual({
      ...monorepoReport,
      word: 'word 3',
      tag: 'tag 3',
      legacy: 'legacy 2',
      helper: 'helper 2 helper.ts',
      common: 'common 2 true',
      data: 'data 2',
      plugins: ['plugin 2 of path 2'],
      threaded: 'thread 2 thread-answer.ts',
      setting: 'setting 2',
      path: 'path 2',
    });
    expect(await worker.end('SIGTERM')).toBe(0);
    await runCli(['engine', 'stop'], { cwd: app });
  });
});

/** Programs as people have them, each a file that runs by itself. */
const programs: readonly { name: string; files: Record<string, string> }[] = [
  {
    name: 'no package type, no tsconfig',
    files: {
      'worker.ts': `import { a } from './a';\nSTART(a + typeof __dirname);`,
      'a.ts': `export const a: string = 'a ';`,
    },
  },
  {
    name: 'CommonJS',
    files: {
      'worker.cts': `const { a } = require('./a') as { a: string };\nif (require.main === module) START(a + typeof __filename);`,
      'a.ts': `export const a: string = 'a ';`,
    },
  },
  {
    name: 'plain JavaScript',
    files: {
      'package.json': '{"type":"module"}',
      'worker.js': `import { a } from './a.js';\nSTART(a + 'string');`,
      'a.ts': `export const a: string = 'a ';`,
    },
  },
  {
    name: 'decorators',
    files: {
      'worker.mts': `function tag(_: unknown, c: ClassMethodDecoratorContext) { c.addInitializer(function () { Reflect.set(this as object, 'tag', 'a '); }); }\nclass A { @tag run() {} }\nSTART(Reflect.get(new A(), 'tag') + 'string');`,
    },
  },
  {
    name: 'a child of its own',
    files: {
      'worker.ts': `import { fork } from 'node:child_process';\nconst text: string = await new Promise((resolve) => fork(new URL('./child.ts', import.meta.url)).once('message', (m) => resolve(String(m))));\nSTART(text);`,
      'child.ts': `import { a } from './a.ts';\nprocess.send?.(a + typeof import.meta.url);`,
      'a.ts': `export const a: string = 'a ';`,
    },
  },
];

describe('programs of each kind', () => {
  it.each(programs)('$name', async ({ name, files }) => {
    const project = join(folder, 'programs', name);
    mkdirSync(join(project, 'node_modules'), { recursive: true });
    symlinkSync(packageRoot, join(project, 'node_modules', 'hatchet-ts'), 'dir');
    writeFileSync(join(project, 'package.json'), '{}');
    const entry = Object.keys(files).find((file) => file.startsWith('worker.')) ?? '';
    const module = entry.endsWith('.cts')
      ? `const { Hatchet } = require('hatchet-ts');\n`
      : `import { Hatchet } from 'hatchet-ts';\n`;
    const start = `const start = async (text: string) => { const hatchet = Hatchet.init(); const task = hatchet.task({ name: 'said', fn: () => ({ text }) }); await (await hatchet.worker('w', { workflows: [task] })).start(); };\n`;
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(project, file)), { recursive: true });
      writeFileSync(
        join(project, file),
        file === entry
          ? module +
              (file.endsWith('.js') ? start.replace(': string', '') : start) +
              text.replace('START(', 'void start(')
          : text,
      );
    }
    const ended = await runCli(
      ['dev', entry, '--trigger', 'said', '--once', '--data-dir', join(folder, 'programs', 'data'), ...anyPorts],
      { cwd: project },
    );
    expect(ended, ended.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('{"text":"a string"}') });
  });
});
