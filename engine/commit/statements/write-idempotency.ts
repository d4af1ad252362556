import type { IdempotencyRow } from '../../model/stored-rows.ts';
import { boolArray, plainArray, textArray } from '../array-literal.ts';
import type { Statement } from '../statement.ts';

export const writeIdempotency: Statement<IdempotencyRow> = {
  name: 'write_idempotency',
  text: `
    INSERT INTO idempotency (tenant_id, key, run_id, by_status, expires_us)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::boolean[], $5::bigint[])
    ON CONFLICT (tenant_id, key) DO UPDATE SET run_id = excluded.run_id, by_status = excluded.by_status, expires_us = excluded.expires_us`,
  values: (rows) => [
    plainArray(rows.map((row) => row.tenantId)),
    textArray(rows.map((row) => row.key)),
    plainArray(rows.map((row) => row.runId)),
    boolArray(rows.map((row) => row.byStatus)),
    plainArray(rows.map((row) => row.expiresUs)),
  ],
};
