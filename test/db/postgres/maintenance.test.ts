import type { Client } from 'pg';
import { beforeEach, expect, it } from 'vitest';
import { createLog } from '../../../engine/base/log.ts';
import { preparePartitions } from '../../../engine/postgres/schema/prepare-partitions.ts';
import { Maintenance } from '../../../engine/wiring/partition-upkeep.ts';
import { databaseForTest, type DatabaseFixture } from '../../helpers/database-fixture.ts';

const dayMs = 86_400_000;

let database: DatabaseFixture;
let client: Client;

beforeEach(async () => {
  database = await databaseForTest({ from: 'migrated' });
  ({ client } = database);
});

async function days(): Promise<number> {
  const { rowCount } = await client.query(`SELECT FROM pg_class WHERE relkind = 'r' AND relname ~ '^run_[0-9]{8}$'`);
  return rowCount ?? 0;
}

async function keep(wallMs: () => number): Promise<void> {
  const maintenance = new Maintenance({
    databaseUrl: database.url,
    retentionDays: 30,
    auditDays: 30,
    log: createLog('silent'),
    wallMs,
  });
  maintenance.start();
  await maintenance.stop();
}

it("goes by Postgres's time, and drops nothing while this machine's clock disagrees", async () => {
  await preparePartitions(client, Date.now() - 100 * dayMs);
  expect(await days()).toBe(5);
  for (const aheadMs of [40 * dayMs, -2 * dayMs]) await keep(() => Date.now() + aheadMs);
  expect(await days()).toBe(10); // those of Postgres's days have come
  await keep(() => Date.now() + 60_000);
  expect(await days()).toBe(5);
});
