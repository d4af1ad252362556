import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { roles } from '../../../engine/auth/role.ts';
import { defaultLimits } from '../../../engine/auth/tenant-limits.ts';

const guide = readFileSync(join(import.meta.dirname, '../../../docs/guides/production.md'), 'utf8');

it('docs/guides/production.md has every limit of a tenant, with its default', () => {
  const documented = [...guide.matchAll(/^\| `(\w+)` \| (\d+) \|/gm)].map(([, name, value]) => [name, Number(value)]);
  expect(documented).toEqual(Object.entries(defaultLimits));
});

it('docs/guides/production.md has every role, from the least on', () => {
  const [, table = ''] = /\| Role \| May \|\n([^]*?)\n\n/.exec(guide) ?? [];
  expect([...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, role]) => role)).toEqual([...roles]);
});
