import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseYaml } from '../../../../cli/dev/program/load-yaml.ts';
import { agentsFile, findTemplate, templateNames } from '../../../../cli/scaffold/find-template.ts';
import { packageName, renderTemplate } from '../../../../cli/scaffold/render-template.ts';
import { writeFiles } from '../../../../cli/scaffold/write-files.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hatchet-scaffold-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What a package.json asks for. */
function packagesOf(text: string): Record<string, string> {
  const { dependencies, devDependencies }: Partial<Record<'dependencies' | 'devDependencies', Record<string, string>>> =
    JSON.parse(text);
  return { ...dependencies, ...devDependencies };
}

describe('templates', () => {
  it.each(templateNames())(
    '%s imports what it asks for alone, in the versions that are tested here, and leaves no placeholder',
    (name) => {
      const files = renderTemplate(findTemplate(name), { name: 'demo', hatchet: String.raw`file:C:\a "b"` });
      const own =
        name === 'python'
          ? ['hatchet.yaml', 'requirements.txt', 'src/worker.py', 'test/simple.test.mjs']
          : ['hatchet.config.ts', 'src/worker.ts', 'tsconfig.json'];
      expect(files.map((file) => file.path)).toEqual(
        expect.arrayContaining(['.gitignore', 'README.md', 'package.json', ...own]),
      );
      for (const { path, text } of files) {
        expect(text).not.toMatch(/\{\{\w+\}\}/);
        if (path.endsWith('.ts'))
          for (const [, from] of text.matchAll(/from '([^']+)'/g))
            expect(from).toMatch(/^(?:hatchet-ts(?:\/(?:config|testing))?|zod|node:.+|\.\/[\w-]+\.ts)$/);
      }
      const { 'hatchet-ts': hatchet, ...others } = packagesOf(
        files.find((file) => file.path === 'package.json')?.text ?? '',
      );
      expect(hatchet).toBe(String.raw`file:C:\a "b"`);
      const here = packagesOf(readFileSync('package.json', 'utf8'));
      for (const [other, version] of Object.entries(others))
        expect(`${other} ${version}`).toBe(`${other} ${here[other]}`);
    },
  );

  it.each(templateNames())('%s has a test, says how it is run, and names guides that are there', (name) => {
    const files = findTemplate(name);
    expect(files.some(({ path }) => /^test\/\w+\.test\.(?:ts|mjs)$/.test(path))).toBe(true);
    const text = files.find(({ path }) => path === 'README.md')?.text ?? '';
    for (const command of ['npm install', 'npx hatchet dev', 'npm test']) expect(text).toContain(`    ${command}`);
    const guides = [...text.matchAll(/node_modules\/hatchet-ts\/([\w./-]+\.md)/g)].map((match) => match[1] ?? '');
    expect(guides).not.toEqual([]);
    for (const guide of guides) expect(existsSync(guide), guide).toBe(true);
    for (const [, other] of text.matchAll(/--template (\w+)/g)) expect(templateNames()).toContain(other);
  });

  it('python runs what is in it', () => {
    const files = new Map(findTemplate('python').map(({ path, text }) => [path, text]));
    const { runCmd, preCmds } = parseYaml(files.get('hatchet.yaml') ?? '', 'hatchet.yaml');
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(files.get('package.json') ?? '');
    // Written twice: in hatchet.yaml it is on show, and a script of another project may have any name.
    expect(scripts['pretest']).toBe(preCmds.join(' && '));
    const named = [runCmd, ...Object.values(scripts)].flatMap((command) =>
      command.split(' ').filter((word) => /^[\w/.]+\.(?:py|txt|mjs)$/.test(word)),
    );
    expect(named).toEqual(['src/worker.py', 'requirements.txt', 'test/simple.test.mjs']);
    for (const path of named) expect(files.has(path)).toBe(true);
  });

  it('tells coding agents of commands and flags that there are', () => {
    const { text } = agentsFile();
    const reference = readFileSync(new URL('../../../../docs/cli.md', import.meta.url), 'utf8');
    const commands = [...text.matchAll(/npx (hatchet [a-z]+(?: [a-z]+)?)/g)].flatMap(([, command]) => command ?? []);
    expect(commands.length).toBeGreaterThan(5);
    for (const command of commands)
      expect([command, command.replace(/ status$/, '')].some((name) => reference.includes(`\n## ${name}`))).toBe(true);
    for (const [flag] of text.matchAll(/--[a-z-]+/g)) expect(reference).toContain(flag);
  });

  it('refuses a name that is none', () => {
    expect(() => findTemplate('nope')).toThrow(/no template "nope"/);
    expect(() => findTemplate('../cli')).toThrow(/no template/);
  });
});

describe('writeFiles', () => {
  it('makes folders, replaces whole files with their permissions, follows links, and leaves nothing else', () => {
    mkdirSync(join(folder, 'real'));
    writeFileSync(join(folder, 'real', 'package.json'), '{}', { mode: 0o600 });
    symlinkSync(join('real', 'package.json'), join(folder, 'package.json'));
    writeFiles(folder, [
      { path: 'src/worker.ts', text: 'worker' },
      { path: 'package.json', text: '{"a":1}' },
    ]);
    expect(readFileSync(join(folder, 'src', 'worker.ts'), 'utf8')).toBe('worker');
    expect(readFileSync(join(folder, 'real', 'package.json'), 'utf8')).toBe('{"a":1}');
    expect(statSync(join(folder, 'real', 'package.json')).mode & 0o777).toBe(0o600);
    expect(lstatSync(join(folder, 'package.json')).isSymbolicLink()).toBe(true);
    expect(readdirSync(folder, { recursive: true }).map(String).sort()).toEqual([
      'package.json',
      'real',
      join('real', 'package.json'),
      'src',
      join('src', 'worker.ts'),
    ]);
  });
});

describe('packageName', () => {
  it('makes a name that npm accepts of any folder', () => {
    expect(packageName('My App')).toBe('my-app');
    expect(packageName('hatchet-ts')).toBe('hatchet-app');
    fc.assert(fc.property(fc.string(), (name) => /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/.test(packageName(name))));
  });
});
