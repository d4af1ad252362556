import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { dumpSchema, schemaPath } from '../../../scripts/dump-schema.ts';

test('docs/schema.sql is what the migrations make; else run `npx tsx scripts/dump-schema.ts` and commit it', async () => {
  expect(readFileSync(schemaPath, 'utf8')).toBe(await dumpSchema());
});
