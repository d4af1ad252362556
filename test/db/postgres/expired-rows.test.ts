import { expect, it } from 'vitest';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { dropExpiredRows } from '../../../engine/postgres/schema/expired-rows.ts';
import { databaseForTest } from '../../helpers/database-fixture.ts';

it('drops what ran out, and keeps what still counts', async () => {
  const { client } = await databaseForTest();
  const nowMs = Date.UTC(2026, 5, 1);
  const nowUs = nowMs * 1000;
  const [tenant, workflow] = [newId(), newId()];
  await client.query(`INSERT INTO tenant (id, name) VALUES ($1, 't')`, [tenant]);
  await client.query(`INSERT INTO workflow (id, tenant_id, name) VALUES ($1, $2, 'w')`, [workflow, tenant]);
  await client.query(
    `INSERT INTO idempotency SELECT $1, 'old' || n, gen_random_uuid(), false, $2::bigint - n FROM generate_series(1, 15000) n`,
    [tenant, nowUs],
  );
  await client.query(`INSERT INTO idempotency VALUES ($1, 'held', gen_random_uuid(), true, $2)`, [tenant, nowUs + 1]);
  for (const [key, isStatic, age] of [
    ['old', false, 400],
    ['static', true, 400],
    ['new', false, 1],
  ] as const) {
    await client.query(`INSERT INTO rate_limit VALUES ($1, $2, 5, 'MINUTE', 5, $3, 1, $4)`, [
      tenant,
      key,
      nowUs - age * 86_400_000_000,
      isStatic,
    ]);
  }
  for (const [age, run] of [
    [40, newId()],
    [40, null],
    [3, newId()],
  ] as const) {
    await client.query(
      `INSERT INTO schedule (id, tenant_id, workflow_id, due_us, input, metadata, run_id) VALUES ($1, $2, $3, $4, '{}', '{}', $5)`,
      [newId(), tenant, workflow, nowUs - age * 86_400_000_000, run],
    );
  }
  await client.query(
    `INSERT INTO webhook_delivery SELECT $1, gen_random_uuid(), $1, $2::bigint - n FROM generate_series(1, 15000) n`,
    [tenant, nowUs],
  );
  await client.query(`INSERT INTO webhook_delivery VALUES ($1, $1, $1, $2)`, [tenant, nowUs + 1]);
  await dropExpiredRows(client, { nowMs, retentionDays: 30 });
  expect((await client.query(`SELECT key FROM idempotency`)).rows).toEqual([{ key: 'held' }]);
  expect((await client.query(`SELECT key FROM webhook_delivery`)).rows).toEqual([{ key: tenant }]);
  expect((await client.query(`SELECT key FROM rate_limit ORDER BY key`)).rows).toEqual([
    { key: 'new' },
    { key: 'static' },
  ]);
  // One has not run, however old it is; one ran within the retention.
  expect((await client.query(`SELECT count(*)::integer AS n FROM schedule`)).rows).toEqual([{ n: 2 }]);
});
