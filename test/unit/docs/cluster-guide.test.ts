import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { differences } from '../../sdk/differences-table.ts';

const root = join(import.meta.dirname, '../../..');

describe('the guide to clusters', () => {
  it('shows every difference that the suite expects, and no other', () => {
    const guide = readFileSync(join(root, 'docs/guides/cluster.md'), 'utf8');
    const rows = Object.values(differences).map(({ about, here, there }) => `| ${about} | ${here} | ${there} |`);
    const [, table = ''] = /<!-- differences -->\n\|[^\n]*\n\|[^\n]*\n((?:\|[^\n]*\n)*)/.exec(guide) ?? [];
    expect(table.trimEnd().split('\n')).toEqual(rows);
  });

  it('names no difference that no test of the suite expects', () => {
    const folder = join(root, 'test/sdk');
    const tests = readdirSync(folder)
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .join('\n');
    expect(Object.keys(differences).filter((name) => !tests.includes(`differs('${name}')`))).toEqual([]);
  });
});
