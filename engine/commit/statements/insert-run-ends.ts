import type { RunEndRow } from '../../model/stored-rows.ts';
import { plainArray } from '../array-literal.ts';
import type { Statement } from '../statement.ts';

export const insertRunEnds: Statement<RunEndRow> = {
  name: 'insert_run_ends',
  text: `
    INSERT INTO run_end (tenant_id, status, run_id, generation, seq)
    SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::uuid[], $4::integer[], $5::bigint[])`,
  values: (rows) => [
    plainArray(rows.map((row) => row.tenantId)),
    plainArray(rows.map((row) => row.status)),
    plainArray(rows.map((row) => row.runId)),
    plainArray(rows.map((row) => row.generation)),
    plainArray(rows.map((row) => row.seq)),
  ],
};
