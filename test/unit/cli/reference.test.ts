import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { cliReference, referencePath } from '../../../scripts/cli-reference.ts';

it('docs/cli.md is what the commands say (npx tsx scripts/cli-reference.ts writes it)', () => {
  expect(readFileSync(referencePath, 'utf8')).toBe(cliReference());
});
