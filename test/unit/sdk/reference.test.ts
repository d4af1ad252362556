import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { sdkReference, sdkReferencePath } from '../../../scripts/sdk-reference.ts';

it('docs/sdk-reference.md is what the SDK exports (npx tsx scripts/sdk-reference.ts writes it)', () => {
  expect(readFileSync(sdkReferencePath, 'utf8')).toBe(sdkReference());
});

it('shows what users can reach, and nothing else', () => {
  const reference = sdkReference();
  for (const heading of [
    '### Hatchet, HatchetClient',
    '### WebhooksClient',
    '### RunManyItem, RunManyOpt',
    '### ConcurrencyLimitStrategy',
  ])
    expect(reference).toContain(heading);
  expect(reference).toContain('run(input: Input, options?: RunOptions): Promise<Output>');
  expect(reference).not.toMatch(/#connection|^\s*(?:private|async) /m);
});
