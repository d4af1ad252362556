import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DevEvent } from '../../../../cli/dev/events.ts';
import { resolutionKey, type Manifest } from '../../../../cli/dev/modules/manifest.ts';
import { ModuleBuilder } from '../../../../cli/dev/modules/module-builder.ts';
import { parseProblems } from '../../../../cli/dev/program/type-checker.ts';
import { patient } from '../../../helpers/patient.ts';

let project = '';
let builder: ModuleBuilder;
let events: DevEvent[] = [];
let writes = 0;

beforeEach(() => {
  project = realpathSync(mkdtempSync(join(tmpdir(), 'hatchet-modules-')));
  events = [];
  builder = new ModuleBuilder({
    project,
    entry: join(project, 'worker.ts'),
    outDir: join(project, '.hatchet', 'build'),
    emit: (event) => events.push(event),
  });
});
afterEach(async () => {
  await builder.stop();
  rmSync(project, { recursive: true, force: true });
});

function write(name: string, text: string): void {
  const path = join(project, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  // Long ago, each later than the last: what was written just now is read again in any case.
  const at = 1_000_000 + writes++;
  utimesSync(path, at, at);
}

type Built = Extract<DevEvent, { type: 'build-done' }>;
type Failed = Extract<DevEvent, { type: 'build-failed' }>;

async function build(): Promise<Built | Failed> {
  const before = events.length;
  builder.build();
  return vi.waitFor(() => {
    const last = events
      .slice(before)
      .find((event): event is Built | Failed => event.type === 'build-done' || event.type === 'build-failed');
    if (last === undefined) throw new Error('nothing was built yet');
    return last;
  }, patient);
}

async function built(): Promise<Built & { read: Manifest; code(name: string): string }> {
  const event = await build();
  if (event.type !== 'build-done') throw new Error(JSON.stringify(event));
  const read: Manifest = JSON.parse(readFileSync(event.manifest, 'utf8'));
  return {
    ...event,
    read,
    code: (name) => readFileSync(join(dirname(event.manifest), read.modules[join(project, name)]?.code ?? ''), 'utf8'),
  };
}

describe('ModuleBuilder', () => {
  it('compiles each module by itself, and watches what says how', async () => {
    write('package.json', '{}');
    write('base.json', '{ "compilerOptions": { "paths": { "#text": ["./text.ts"] } } }');
    write('tsconfig.json', '{ // with a comment\n"extends": "./base" }');
    write('worker.ts', `import { text } from '#text';\nconsole.log(text satisfies string, __dirname);\n`);
    write('text.ts', `export const text: string = 'from text';\n`);
    const first = await built();
    expect(first.inputs.toSorted()).toEqual(
      ['base.json', 'package.json', 'text.ts', 'tsconfig.json', 'worker.ts'].map((name) => join(project, name)),
    );
    expect(first.read.resolutions[join(project, 'worker.ts')]).toEqual({
      [resolutionKey('import', '#text')]: join(project, 'text.ts'),
    });
    expect(first.code('worker.ts')).toContain(`from "#text"`);
    expect(first.code('worker.ts')).toContain('import.meta.dirname');
    // Where the paths lead elsewhere, no module has changed, and yet the program has.
    write('other.ts', `export const text: string = 'from text';\n`);
    write('base.json', '{ "compilerOptions": { "paths": { "#text": ["./other.ts"] } } }');
    const moved = await built();
    expect(moved.changed).toBe(true);
    expect(moved.read.resolutions[join(project, 'worker.ts')]).toEqual({
      [resolutionKey('import', '#text')]: join(project, 'other.ts'),
    });
  });

  it('takes a package of the workspace for a part of the project, and leaves one of node_modules alone', async () => {
    write('packages/near/package.json', '{ "name": "near", "exports": "./index.ts" }');
    write('packages/near/index.ts', 'export const near: number = 1;\n');
    write('node_modules/far/package.json', '{ "name": "far", "exports": "./index.js", "type": "module" }');
    write('node_modules/far/index.js', 'export const far = 1;\n');
    symlinkSync(join(project, 'packages', 'near'), join(project, 'node_modules', 'near'));
    write('worker.ts', `import { near } from 'near';\nimport { far } from 'far';\nconsole.log(near, far);\n`);
    const { read } = await built();
    expect(Object.keys(read.modules).toSorted()).toEqual([
      join(project, 'packages/near/index.ts'),
      join(project, 'worker.ts'),
    ]);
  });

  it('makes CommonJS of what is required, with all that it imports, and of nothing else', async () => {
    write('worker.ts', `import { a } from './a.cjs';\nimport { own } from './own.ts';\nconsole.log(a, own);\n`);
    write('a.cts', `const { b } = require('./b');\nexports.a = b as number;\n`);
    write('b.ts', `import { c } from './c.ts';\nexport const b: number = c;\nexport const where = import.meta.url;\n`);
    write('c.ts', `export const c: number = 1;\n`);
    write('own.ts', `export const own: number = 2;\n`);
    const { read, code } = await built();
    const formats = Object.fromEntries(
      Object.entries(read.modules).map(([file, { format, names }]) => [
        file.slice(project.length + 1),
        names === undefined ? format : `${format}: ${names.join(' ')}`,
      ]),
    );
    expect(formats).toEqual({
      'worker.ts': 'module',
      'own.ts': 'module',
      'a.cts': 'commonjs: a',
      'b.ts': 'commonjs: b where',
      'c.ts': 'commonjs: c',
    });
    expect(code('b.ts')).toContain('pathToFileURL(__filename)');
  });

  it('says when nothing has changed', async () => {
    write('worker.ts', `import './other.ts';\n`);
    write('other.ts', `console.log(1);\n`);
    expect(await build()).toMatchObject({ type: 'build-done', changed: true });
    expect(await build()).toMatchObject({ type: 'build-done', changed: false });
    write('other.ts', `console.log(1);\n`);
    expect(await build()).toMatchObject({ type: 'build-done', changed: false });
    write('other.ts', `console.log(2);\n`);
    expect(await build()).toMatchObject({ type: 'build-done', changed: true });
  });

  it('counts what a worker has loaded by itself as of the project', async () => {
    write('worker.ts', `const name: string = './computed.ts';\nawait import(name);\n`);
    write('computed.ts', `console.log(1);\n`);
    await built();
    builder.include([join(project, 'computed.ts')]);
    expect(await built()).toMatchObject({
      changed: false,
      inputs: expect.arrayContaining([join(project, 'computed.ts')]),
    });
    write('computed.ts', `console.log(2);\n`);
    expect(await build()).toMatchObject({ changed: true });
    rmSync(join(project, 'computed.ts'));
    expect(await build()).toMatchObject({ type: 'build-done', changed: true });
  });

  it('names file, line and column of a mistake, and recovers from it', async () => {
    write('worker.ts', `const a = 1;\nconst b = ;\n`);
    expect(await build()).toMatchObject({
      type: 'build-failed',
      isFirst: true,
      problems: [{ file: 'worker.ts', line: 2, column: 11, message: 'Unexpected ";"' }],
    });
    write('worker.ts', `import './lib/gone.js';\n`);
    // It is watched where it has to come.
    expect(await build()).toMatchObject({
      type: 'build-failed',
      problems: [{ file: 'worker.ts', line: 1, column: 8, message: expect.stringContaining('gone.js') }],
      inputs: expect.arrayContaining([join(project, 'lib', 'gone.js')]),
    });
    write('lib/gone.ts', `console.log('here');\n`);
    expect(await build()).toMatchObject({ type: 'build-done', changed: true });
    write('lib/gone.ts', `const b = ;\n`);
    expect(await build()).toMatchObject({ type: 'build-failed', isFirst: false, problems: [{ file: 'lib/gone.ts' }] });
    write('lib/gone.ts', `console.log('again');\n`);
    expect(await build()).toMatchObject({ type: 'build-done', changed: true });
    // What nobody imports any more may be as broken as it likes.
    write('lib/gone.ts', `const b = ;\n`);
    expect(await build()).toMatchObject({ type: 'build-failed' });
    write('worker.ts', `console.log(1);\n`);
    expect(await build()).toMatchObject({ type: 'build-done', changed: true });
    write('worker.ts', `import './lib/gone.js';\n`);
    write('lib/gone.ts', `console.log('again');\n`);
    expect(await build()).toMatchObject({ type: 'build-done', changed: true });
    rmSync(join(project, 'lib', 'gone.ts'));
    expect(await build()).toMatchObject({ type: 'build-failed', problems: [{ file: 'worker.ts', line: 1 }] });
  });

  it('gives the same code for the same source, whatever else has changed', async () => {
    write('worker.ts', `import './other.ts';\nconsole.log(1);\n`);
    write('other.ts', 'console.log(2);\n');
    const first = await built();
    write('other.ts', 'console.log(3);\n');
    const second = await built();
    expect(second.read.modules[join(project, 'worker.ts')]).toEqual(first.read.modules[join(project, 'worker.ts')]);
    expect(second.manifest).not.toBe(first.manifest);
  });
});

describe('parseProblems', () => {
  it('reads what tsc prints', () => {
    expect(
      parseProblems(
        "src/a.ts(3,7): error TS2322: Type 'x' is not assignable.\n  more\n../b.ts(1,2): error TS1: no\n",
        '/project',
      ),
    ).toEqual([
      { file: 'src/a.ts', line: 3, column: 7, message: "TS2322: Type 'x' is not assignable." },
      { file: '../b.ts', line: 1, column: 2, message: 'TS1: no' },
    ]);
  });
});
