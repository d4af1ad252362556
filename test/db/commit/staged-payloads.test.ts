import type { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { StagedPayloads } from '../../../engine/commit/staged-payloads.ts';
import { createLog } from '../../../engine/base/log.ts';
import { TurnQueue } from '../../../engine/base/turn-queue.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';
import { tenantOf } from '../../helpers/tenant.ts';

const database = databaseFixture({ from: 'migrated' });
let client: Client;
let payloads: StagedPayloads;
const rest = vi.spyOn(TurnQueue.prototype, 'rest');

beforeAll(() => void ({ client } = database));

afterAll(async () => {
  rest.mockRestore();
});

beforeEach(() => {
  rest.mockClear();
  payloads = new StagedPayloads({ connectionString: database.url }, createLog('silent'));
});

afterEach(() => payloads.close());

const text = (name: string): string => `"${name.repeat(50_000)}"`;

async function stored(ids: Iterable<string>): Promise<string[]> {
  return (
    await client.query<{ value: string }>(
      'SELECT s.value FROM unnest($1::uuid[]) WITH ORDINALITY AS u (id, n) JOIN staged_payload s ON s.id = u.id ORDER BY n',
      [[...ids]],
    )
  ).rows.map(({ value }) => value);
}

it('beside others a tenant rests after each of its texts, and all are stored', async () => {
  payloads.seen(tenantOf('quiet'));
  payloads.seen(tenantOf('loud'));
  const texts = ['a', 'b', 'c'].map(text);
  const staged = await payloads.stage(tenantOf('loud'), texts);
  expect(await stored(texts.map((one) => staged.get(one) ?? ''))).toEqual(texts);
  await expect.poll(() => rest.mock.calls.length).toBe(3);
  for (const [tenantId, ms] of rest.mock.calls) expect([tenantId, ms > 0]).toEqual(['loud', true]);
});

it('a tenant that is alone never rests', async () => {
  payloads.seen(tenantOf('loud'));
  await payloads.stage(tenantOf('loud'), ['a', 'b', 'c'].map(text));
  expect(rest).not.toHaveBeenCalled();
});
