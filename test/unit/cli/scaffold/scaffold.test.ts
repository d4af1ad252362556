import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseYaml } from '../../../../cli/dev/program/load-yaml.ts';
import { findTemplate, templateNames } from '../../../../cli/scaffold/find-template.ts';
import { packageName, renderTemplate } from '../../../../cli/scaffold/render-template.ts';
import { writeFiles } from '../../../../cli/scaffold/write-files.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hatchet-scaffold-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('templates', () => {
  it.each(templateNames())('%s imports the package and Node alone, and leaves no placeholder', (name) => {
    const files = renderTemplate(findTemplate(name), { name: 'demo', hatchet: String.raw`file:C:\a "b"` });
    const own = name === 'python' ? ['hatchet.yaml', 'requirements.txt', 'src/worker.py'] : ['hatchet.config.ts', 'src/worker.ts', 'tsconfig.json'];
    expect(files.map((file) => file.path)).toEqual(expect.arrayContaining(['.gitignore', 'README.md', 'package.json', ...own]));
    for (const { path, text } of files) {
      expect(text).not.toMatch(/\{\{\w+\}\}/);
      if (path.endsWith('.ts')) for (const [, from] of text.matchAll(/from '([^']+)'/g)) expect(from).toMatch(/^(?:hatchet-ts(?:\/config)?|node:.+|\.\/[\w-]+\.ts)$/);
    }
    const manifest: { dependencies: Record<string, string> } = JSON.parse(files.find((file) => file.path === 'package.json')?.text ?? '');
    expect(manifest.dependencies).toEqual({ 'hatchet-ts': String.raw`file:C:\a "b"` });
  });

  it('python runs what is in it', () => {
    const files = new Map(findTemplate('python').map(({ path, text }) => [path, text]));
    const { runCmd, preCmds } = parseYaml(files.get('hatchet.yaml') ?? '', 'hatchet.yaml');
    const named = [runCmd, ...preCmds].flatMap((command) => command.split(' ').filter((word) => /^[\w/]+\.(?:py|txt)$/.test(word)));
    expect(named).toEqual(['src/worker.py', 'requirements.txt']);
    for (const path of named) expect(files.has(path)).toBe(true);
  });

  it('refuses a name that is none', () => {
    expect(() => findTemplate('nope')).toThrow(/no template "nope"/);
    expect(() => findTemplate('../cli')).toThrow(/no template/);
  });
});

describe('writeFiles', () => {
  const files = [
    { path: 'package.json', text: '{}' },
    { path: 'src/worker.ts', text: 'worker' },
  ];

  it('writes all, and again only what is missing', () => {
    expect(writeFiles(folder, files)).toEqual(['package.json', 'src/worker.ts']);
    rmSync(join(folder, 'src'), { recursive: true });
    expect(writeFiles(folder, files)).toEqual(['src/worker.ts']);
  });

  it('writes nothing when one file is another', () => {
    writeFileSync(join(folder, 'package.json'), '{"mine":true}');
    expect(() => writeFiles(folder, files)).toThrow(/package.json/);
    expect(existsSync(join(folder, 'src'))).toBe(false);
    expect(readFileSync(join(folder, 'package.json'), 'utf8')).toBe('{"mine":true}');
  });
});

describe('packageName', () => {
  it('makes a name that npm accepts of any folder', () => {
    expect(packageName('My App')).toBe('my-app');
    expect(packageName('hatchet-ts')).toBe('hatchet-app');
    fc.assert(fc.property(fc.string(), (name) => /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/.test(packageName(name))));
  });
});
