import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../helpers/engine-process.ts';
import { runProgram } from '../helpers/run-cli.ts';
import { makeTempFolder } from '../helpers/temp-folder.ts';

const folder = makeTempFolder('doc-examples');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const inFolder = (path: string): string[] =>
  readdirSync(join(packageRoot, path))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(path, name));
const guides = ['README.md', ...inFolder('docs/guides')];
const pages = [...guides, 'CONTRIBUTING.md', ...inFolder('docs'), ...inFolder('docs/adr')];

const textOf = (page: string): string => readFileSync(join(packageRoot, page), 'utf8');

/** The examples of a page: each a module in the page's folder, at the path of its first line (`// src/simple.ts`), else by its line. */
function examplesOf(page: string): { path: string; code: string }[] {
  const text = textOf(page);
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => {
    const code = match[1] ?? '';
    const path =
      /^\/\/ ([\w./-]+\.ts)\b/.exec(code)?.[1] ??
      join('src', `line-${text.slice(0, match.index).split('\n').length + 1}.ts`);
    return { path: join(basename(page, '.md'), path), code };
  });
}

/** Keeps the lines, so that the compiler names those of the page. */
const module = (code: string): string => `${code.replaceAll(/(fn: |=> )…/g, '$1elided')}\nexport {};\n`;

/** The project of a reader: the built package, and what the examples import beside it. */
function makeProject(): string {
  for (const name of ['zod', 'vitest', '@types/node', '@opentelemetry', '@grpc']) {
    mkdirSync(dirname(join(folder, 'node_modules', name)), { recursive: true });
    symlinkSync(join(packageRoot, 'node_modules', name), join(folder, 'node_modules', name), 'dir');
  }
  symlinkSync(packageRoot, join(folder, 'node_modules', 'hatchet-ts'), 'dir');
  const compilerOptions = {
    target: 'es2023',
    lib: ['es2023'],
    module: 'preserve',
    types: ['node'],
    strict: true,
    noUncheckedIndexedAccess: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    noEmit: true,
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['**/*.ts'] }));
  // Not linked: the stand-ins resolve `hatchet-ts` from here.
  writeFileSync(
    join(folder, 'stand-ins.d.ts'),
    readFileSync(join(packageRoot, 'test', 'fixtures', 'doc-examples', 'stand-ins.d.ts')),
  );
  return folder;
}

/** As GitHub makes it from a heading. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
const anchorsOf = (page: string): string[] =>
  [...textOf(page).matchAll(/^#+ (.+)$/gm)].map((match) => anchor(match[1] ?? ''));

describe('the documentation', () => {
  it('has examples that type-check against the package', async () => {
    const project = makeProject();
    const examples = guides.flatMap(examplesOf);
    expect(examples.length).toBeGreaterThan(20);
    for (const { path, code } of examples) {
      mkdirSync(dirname(join(project, path)), { recursive: true });
      // Several ways to write one file, as for several test runners, are several modules.
      let free = path;
      for (let other = 2; existsSync(join(project, free)); other++) free = path.replace(/\.ts$/, `.${other}.ts`);
      writeFileSync(join(project, free), module(code));
    }
    const checked = await runProgram(join(packageRoot, 'node_modules', '.bin', 'tsc'), ['-p', project], {
      cwd: project,
    });
    expect(checked).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it.each(pages)('%s links to what exists', (page) => {
    const dead = [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)]
      .map((match) => match[1] ?? '')
      .filter((link) => {
        if (/^\w+:/.test(link)) return false;
        const [path = '', heading] = link.split('#');
        const target = path === '' ? page : join(dirname(page), path);
        return (
          !existsSync(resolve(packageRoot, target)) || (heading !== undefined && !anchorsOf(target).includes(heading))
        );
      });
    expect(dead).toEqual([]);
  });
});
