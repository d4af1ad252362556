import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transformSync } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { findTemplate, templateNames } from '../../../../cli/scaffold/find-template.ts';
import { findPackageManager } from '../../../../cli/scaffold/package-manager.ts';
import { planScaffold, type ScaffoldPlan } from '../../../../cli/scaffold/plan-scaffold.ts';
import { renderTemplate } from '../../../../cli/scaffold/render-template.ts';

/** Paths and texts. */
type Folder = Readonly<Record<string, string>>;

const plan = (template: string, folder: Folder): ScaffoldPlan =>
  planScaffold(renderTemplate(findTemplate(template), { name: 'demo', hatchet: '0.1.0' }), (path) => folder[path]);
const write = (folder: Folder, writes: ScaffoldPlan['writes']): Folder => ({
  ...folder,
  ...Object.fromEntries(writes.map(({ path, text }) => [path, text])),
});
const manifest = (parts: object): string => `${JSON.stringify({ name: 'theirs', ...parts }, null, 2)}\n`;
const parsed = (folder: Folder): Record<string, Record<string, string>> =>
  JSON.parse((folder['package.json'] ?? '').replace(/^\uFEFF/, ''));

const projects: Readonly<Record<string, Folder>> = {
  nothing: {},
  'a git repository': { 'README.md': '# Mine\n', '.gitignore': '*.log' },
  'an ES module with a worker of another kind': {
    'package.json': manifest({
      type: 'module',
      scripts: { dev: 'vite', test: 'vitest', start: 'node .' },
      devDependencies: { vitest: '4.0.0' },
    }),
    'tsconfig.json': '{ "compilerOptions": { "module": "nodenext" } }',
    'src/worker.ts': 'self.onmessage = () => {};\n',
    '.gitignore': '/node_modules\n!.env\n',
  },
  'CommonJS in JavaScript': {
    'package.json': manifest({ main: 'index.js', scripts: { test: 'echo "Error: no test specified" && exit 1' } }),
    'index.js': 'module.exports = 1;\n',
  },
  'ES modules in JavaScript': { 'package.json': manifest({ type: 'module' }) },
  'TypeScript without settings': {
    'package.json': manifest({ type: 'module', devDependencies: { typescript: '7.0.2' } }),
  },
  'both names of a script taken': {
    'package.json': manifest({
      type: 'module',
      scripts: { worker: 'a', 'hatchet:worker': 'b' },
      dependencies: { zod: '^3.25.0' },
    }),
  },
  'in Python': { 'requirements.txt': 'requests==2.32.0', 'src/worker.py': 'print(1)\n', '.gitignore': '.venv\r\n' },
};

describe.each(templateNames())('the template %s', (template) => {
  describe.each(Object.entries(projects))('in %s', (_name, before) => {
    const first = plan(template, before);
    const after = write(before, first.writes);

    it('keeps every file; what it adds to one stands at its end or in new members', () => {
      for (const [path, text] of Object.entries(before)) {
        if (path === 'package.json') expect(parsed(after)).toMatchObject(parsed(before));
        else if (after[path] !== text)
          expect(['.gitignore', 'requirements.txt'].includes(path) && after[path]?.startsWith(text), path).toBe(true);
      }
    });

    it('brings a worker that is found, and what it imports', () => {
      const { dependencies, devDependencies } = parsed(after);
      const packages = { ...dependencies, ...devDependencies };
      expect(packages).toHaveProperty('hatchet-ts');
      const sources = first.writes.filter(({ path }) => path.startsWith('src/'));
      for (const { path, text } of sources) {
        for (const [, from = ''] of text.matchAll(/from '([^']+)'/g)) {
          if (from.startsWith('./'))
            expect(Object.keys(after)).toContain(join(path, '..', from).replace(/\.js$/, '.ts'));
          else if (!from.startsWith('node:')) expect(packages).toHaveProperty([from]);
        }
      }
      const worker = sources.find(({ path }) => /\/worker\.(?:ts|py)$/.test(path))?.path ?? '';
      expect(worker).not.toBe('');
      const named = [after['hatchet.config.ts'], after['hatchet.config.mjs'], after['hatchet.yaml']]
        .filter((text) => text !== undefined)
        .join('');
      expect(named === '' ? 'src/worker.ts' : named).toContain(worker);
    });

    it('writes what CommonJS can load where the project is CommonJS', () => {
      if (before['package.json'] === undefined || parsed(before)['type'] !== undefined) return;
      for (const { path, text } of first.writes)
        if (path.endsWith('.ts'))
          expect(() => transformSync(text, { loader: 'ts', format: 'cjs' }), path).not.toThrow();
      expect(Object.keys(after).filter((path) => path.endsWith('.test.ts') || path === 'tsconfig.json')).toEqual([]);
    });

    it('adds nothing the second time', () => {
      expect(plan(template, after).writes).toEqual([]);
      expect(plan(template, after).added).toEqual([]);
    });

    it('writes package.json last, and ends the same when it was interrupted after any file', () => {
      expect(first.writes.at(-1)?.path).toBe('package.json');
      for (let count = 0; count < first.writes.length; count++) {
        const part = write(before, first.writes.slice(0, count));
        expect(write(part, plan(template, part).writes)).toEqual(after);
      }
    });
  });
});

describe('a project that is there', () => {
  it('gets another name for a script that it has, and is told so', () => {
    const before = projects['an ES module with a worker of another kind'] ?? {};
    const { writes, left } = plan('simple', before);
    const after = write(before, writes);
    expect(parsed(after)['scripts']).toEqual({
      dev: 'vite',
      test: 'vitest',
      start: 'node .',
      'hatchet:dev': 'hatchet dev',
      worker: 'hatchet worker start',
    });
    expect(left).toContainEqual({ what: 'package.json: script dev', why: 'it is yours; ours is hatchet:dev' });
    expect(left.map(({ what }) => what)).toEqual(expect.arrayContaining(['tsconfig.json', 'test/simple.test.ts']));
    expect(Object.keys(after)).toEqual(
      expect.arrayContaining(['src/hatchet/worker.ts', 'src/hatchet/simple.ts', 'hatchet.config.mjs']),
    );
    expect(after['.gitignore']).toBe('/node_modules\n!.env\n.hatchet/\n');
    expect(after['src/hatchet/worker.ts']).toContain("from './simple.js'");
  });

  it('is told of names that are all taken, and of a package that is too old', () => {
    const { writes, left } = plan('simple', projects['both names of a script taken'] ?? {});
    expect(writes.find(({ path }) => path === 'package.json')?.text).toContain('"zod": "^3.25.0"');
    expect(left).toContainEqual({
      what: 'package.json: scripts worker and hatchet:worker',
      why: 'they are yours; ours would be "hatchet worker start"',
    });
    expect(left).toContainEqual({
      what: 'package.json: zod ^3.25.0',
      why: 'it is yours, and the template is written for 4.6.7',
    });
  });

  it('gets tests where it has none that would run them by mistake', () => {
    expect(plan('simple', projects['ES modules in JavaScript'] ?? {}).added).toEqual(
      expect.arrayContaining([
        'test/simple.test.ts',
        'package.json: script test',
        'package.json: development dependency tsx',
      ]),
    );
  });

  it('of another template gets its tasks, and hears that its worker does not know them', () => {
    const before = write({}, plan('simple', {}).writes);
    const { writes, left } = plan('durable', before);
    expect(writes.map(({ path }) => path)).toEqual([
      'src/agent.ts',
      'src/locate.ts',
      'src/purchase.ts',
      'src/think.ts',
      'test/agent.test.ts',
      'test/purchase.test.ts',
    ]);
    expect(left).toEqual([
      {
        what: 'src/worker.ts',
        why: 'it is yours; give its worker what src/agent.ts, src/locate.ts, src/purchase.ts, src/think.ts declare',
      },
    ]);
  });

  it.each([
    ['{\n  "name": "x",\n  "scripts": {,}\n}', 'package.json is not valid JSON: line 3, column 15: unexpected ","'],
    ['\uFEFF{"a":1,}', 'package.json is not valid JSON: line 1, column 8'],
    ['', 'package.json is not valid JSON: line 1, column 1: the text ends'],
    ['[]', 'package.json is not a JSON object'],
    ['{"scripts":["a"]}', 'scripts in package.json is no object'],
    ['{"devDependencies":null}', 'devDependencies in package.json is no object'],
  ])('is refused with the package.json %j', (text, message) => {
    expect(() => plan('simple', { 'package.json': text })).toThrow(message);
  });
});

describe('findPackageManager', () => {
  it.each([
    ['npm', undefined, {}],
    ['yarn', 'yarn/4.0.0 node/v22', {}],
    ['pnpm', 'npm/11', { 'pnpm-lock.yaml': '' }],
    ['bun', 'npm/11', { 'bun.lock': '' }],
    ['npm', 'yarn/1', { 'packages/app/package-lock.json': '', 'yarn.lock': '' }],
    ['yarn', undefined, { 'package.json': '{"packageManager":"yarn@4.5.0"}', 'pnpm-lock.yaml': '' }],
    ['npm', undefined, { 'packages/.git': '', 'yarn.lock': '' }],
  ])('finds %s, called by %s, of %j', (wanted, agent, files: Record<string, string>) => {
    const root = mkdtempSync(join(tmpdir(), 'hatchet-manager-'));
    try {
      mkdirSync(join(root, 'packages', 'app'), { recursive: true });
      writeFileSync(join(root, '.git'), '');
      for (const [path, text] of Object.entries(files)) writeFileSync(join(root, path), text);
      expect(findPackageManager(join(root, 'packages', 'app'), agent)).toBe(wanted);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});
