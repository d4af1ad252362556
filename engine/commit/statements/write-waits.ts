import type { WaitRow } from '../../model/stored-rows.ts';
import { plainArray, textArray } from '../array-literal.ts';
import type { Statement } from '../statement.ts';

export const writeWaits: Statement<WaitRow> = {
  name: 'write_waits',
  text: `
    INSERT INTO wait (task_id, tenant_id, since_us, since_seq, resolved)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[])
    ON CONFLICT (task_id) DO UPDATE SET since_us = excluded.since_us, since_seq = excluded.since_seq, resolved = excluded.resolved`,
  values: (rows) => [
    plainArray(rows.map((row) => row.taskId)),
    plainArray(rows.map((row) => row.tenantId)),
    plainArray(rows.map((row) => row.sinceUs)),
    plainArray(rows.map((row) => row.sinceSeq)),
    textArray(rows.map((row) => row.resolved)),
  ],
};

export const deleteWaits: Statement<string> = {
  name: 'delete_waits',
  text: `DELETE FROM wait w USING unnest($1::uuid[]) AS u (task_id) WHERE w.task_id = u.task_id`,
  values: (ids) => [plainArray(ids)],
};
