import type { Pool } from 'pg';
import { beforeAll, expect, it } from 'vitest';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { LogWriter } from '../../../engine/writers/log-writer.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';
import { newTenantId } from '../../../engine/model/ids/tenant-id.ts';

const database = databaseFixture();
let pool: Pool;

beforeAll(() => void ({ pool } = database));

it('lines that wait have a size together: past it callers are told to slow down, and taken again once they are written', async () => {
  const writer = new LogWriter(pool, () => undefined);
  const metadata = JSON.stringify({ text: 'x'.repeat(60_000) });
  const write = (): Promise<void> =>
    writer.write({
      tenantId: newTenantId(),
      taskId: newId(),
      atMs: Date.now(),
      attempt: 0,
      level: 1,
      message: 'line',
      metadata,
    });
  const written = await Promise.allSettled(Array.from({ length: 2000 }, write));
  const refused = written.filter((each) => each.status === 'rejected');
  expect(refused.length).toBeGreaterThan(800);
  expect(refused.length).toBeLessThan(1000);
  expect(refused[0]?.reason).toMatchObject({ code: 'BUSY', remedy: 'Send less, or less often.' });
  await Promise.all(Array.from({ length: 1000 }, write));
  await writer.stop();
});
