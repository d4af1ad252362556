import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');

/** Folders of the repository; what a build or an install makes is none. */
const folders = [
  'bench',
  'bin',
  'cli',
  'deploy',
  'docs',
  'engine',
  'examples',
  'migrations',
  'page',
  'proto',
  'scripts',
  'sdk',
  'templates',
  'test',
  'testing',
];

const pages = [
  'CONTRIBUTING.md',
  'README.md',
  'SECURITY.md',
  'deploy/README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

/** Each with its text, without the blocks of code: those are of users' projects. */
const texts = pages.map(
  (page) => [page, readFileSync(join(root, page), 'utf8').replaceAll(/^```[^]*?^```/gm, '')] as const,
);

describe('paths in documentation', () => {
  it('names files and folders that exist, wherever a path is written as code', () => {
    const wrong = texts.flatMap(([page, text]) =>
      [...text.matchAll(/`([\w.@-]+(?:\/[\w.@-]+)+\/?)`/g)].flatMap(([, path = '']) =>
        folders.includes(path.split('/')[0] ?? '') && !existsSync(join(root, path)) ? [`${page}: ${path}`] : [],
      ),
    );
    expect(wrong).toEqual([]);
  });

  it('names source files that exist, where a name stands alone; in guides such a name is one of a user', () => {
    const known = new Set(
      folders.flatMap((folder) =>
        readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => basename(name)),
      ),
    );
    const wrong = texts
      .filter(([page]) => page === 'CONTRIBUTING.md' || page === 'docs/architecture.md' || page.startsWith('docs/adr/'))
      .flatMap(([page, text]) =>
        [...text.matchAll(/`([\w.-]+\.tsx?)`/g)].flatMap(([, name = '']) =>
          known.has(name) ? [] : [`${page}: ${name}`],
        ),
      );
    expect(wrong).toEqual([]);
  });

  it('links to files that exist', () => {
    const wrong = texts.flatMap(([page, text]) =>
      [...text.matchAll(/\]\(([^)#\s:]+)(?:#[^)]*)?\)/g)].flatMap(([, target = '']) => {
        const path = relative(root, join(root, dirname(page), target));
        return existsSync(join(root, path)) ? [] : [`${page}: ${path}`];
      }),
    );
    expect(wrong).toEqual([]);
  });
});
