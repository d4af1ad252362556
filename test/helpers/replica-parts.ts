import { Client } from 'pg';
import { vi } from 'vitest';
import { shardCount, shardOf } from '../../engine/model/ids/shard-of.ts';
import { tenantOf } from './tenant.ts';

async function rowsOf<Row extends object>(url: string, query: string, values: unknown[] = []): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(query, values)).rows;
  } finally {
    await client.end();
  }
}

/** How many shards each engine has, the fewest first. */
export async function partsOf(url: string): Promise<number[]> {
  const rows = await rowsOf<{ n: number }>(
    url,
    'SELECT count(*)::integer AS n FROM shard WHERE owner IS NOT NULL GROUP BY owner ORDER BY 1',
  );
  return rows.map(({ n }) => n);
}

/** Resolves once so many engines have all shards, and none of them more than its part. */
export async function untilShared(url: string, engines = 2): Promise<void> {
  const isShared = async (): Promise<boolean> => {
    const parts = await partsOf(url);
    const most = Math.ceil(shardCount / engines);
    return parts.length === engines && (parts.at(-1) ?? 0) <= most && parts.reduce((a, b) => a + b) === shardCount;
  };
  await vi.waitUntil(isShared, { timeout: 30_000, interval: 20 });
}

/** The gRPC port of the engine that has the tenant `default`. */
export async function portOfDefaultTenant(url: string): Promise<number> {
  const [tenant] = await rowsOf<{ id: string }>(url, `SELECT id FROM tenant WHERE name = 'default'`);
  const [row] = await rowsOf<{ grpc_address: string }>(
    url,
    'SELECT r.grpc_address FROM shard s JOIN replica r ON r.id = s.owner WHERE s.id = $1',
    [shardOf(tenantOf(tenant?.id ?? ''))],
  );
  return Number(row?.grpc_address.split(':').at(-1));
}
