import { rateLimitWindows, type RateLimitWindow } from '../../model/definition.ts';
import { addRateLimit } from '../../plan/rate-limits/rate-limit-table.ts';
import type { ShardTables } from './shard-tables.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

interface RateLimitSqlRow {
  tenant_id: TenantId;
  key: string;
  size: string;
  period: string;
  window_size: string;
  window_start_us: string;
  used: string;
  is_static: boolean;
  paused_until_us: string;
}

export const readRateLimits = `
  SELECT r.tenant_id, r.key, r.size, r.period, r.window_size, r.window_start_us, r.used, r.is_static, r.paused_until_us
  FROM unnest($1::uuid[]) AS u (tenant_id) JOIN rate_limit r ON r.tenant_id = u.tenant_id
  ORDER BY r.tenant_id, r.key`;
export async function loadRateLimits({ client, shard, tenantIds, setAside, slice }: ShardTables): Promise<void> {
  const { rows } = await client.query<RateLimitSqlRow>(readRateLimits, [tenantIds]);
  for (const row of rows) {
    setAside.try('rate limit', `${row.tenant_id} ${row.key}`, () =>
      addRateLimit(shard, {
        tenantId: row.tenant_id,
        key: row.key,
        limit: Number(row.size),
        window: windowOf(row.period),
        windowLimit: Number(row.window_size),
        windowStartUs: Number(row.window_start_us),
        used: Number(row.used),
        isStatic: row.is_static,
        pausedUntilUs: Number(row.paused_until_us),
      }),
    );
    if (slice.isOver) await slice.pause();
  }
}

function windowOf(text: string): RateLimitWindow {
  const window = rateLimitWindows.find((each) => each === text);
  if (window === undefined)
    throw new Error(`a rate limit has the unknown window ${text}: was this database written by a newer version?`);
  return window;
}
