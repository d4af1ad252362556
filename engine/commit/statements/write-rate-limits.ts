import type { RateLimitRow } from '../../model/stored-rows.ts';
import { boolArray, plainArray, textArray } from '../array-literal.ts';
import type { Statement } from '../statement.ts';

export const writeRateLimits: Statement<RateLimitRow> = {
  name: 'write_rate_limits',
  text: `
    INSERT INTO rate_limit (tenant_id, key, size, period, window_size, window_start_us, used, is_static, paused_until_us)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::boolean[], $9::bigint[])
    ON CONFLICT (tenant_id, key) DO UPDATE
    SET size = excluded.size, period = excluded.period, window_size = excluded.window_size, window_start_us = excluded.window_start_us,
      used = excluded.used, is_static = excluded.is_static, paused_until_us = excluded.paused_until_us`,
  values: (rows) => [
    plainArray(rows.map((row) => row.tenantId)),
    textArray(rows.map((row) => row.key)),
    plainArray(rows.map((row) => row.limit)),
    textArray(rows.map((row) => row.window)),
    plainArray(rows.map((row) => row.windowLimit)),
    plainArray(rows.map((row) => row.windowStartUs)),
    plainArray(rows.map((row) => row.used)),
    boolArray(rows.map((row) => row.isStatic)),
    plainArray(rows.map((row) => row.pausedUntilUs)),
  ],
};
