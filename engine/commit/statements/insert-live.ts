import type { LiveRow } from '../../model/stored-rows.ts';
import type { Statement } from '../statement.ts';
import { plainArray, textArray } from '../array-literal.ts';

export const insertLive: Statement<LiveRow> = {
  name: 'insert_live',
  text: `
    INSERT INTO live (task_id, run_id, tenant_id, version_id, shard, step, state, flags, priority, generation, attempt, retries, reassigns, seq, due_us, worker_id, batch_id, demands, invocation)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::smallint[], $6::smallint[], $7::smallint[], $8::smallint[], $9::smallint[],
      $10::integer[], $11::integer[], $12::integer[], $13::integer[], $14::bigint[], $15::bigint[], $16::uuid[], $17::uuid[], $18::text[], $19::integer[])`,
  values: (rows) => [
    plainArray(rows.map((row) => row.taskId)),
    plainArray(rows.map((row) => row.runId)),
    plainArray(rows.map((row) => row.tenantId)),
    plainArray(rows.map((row) => row.versionId)),
    plainArray(rows.map((row) => row.shard)),
    plainArray(rows.map((row) => row.step)),
    plainArray(rows.map((row) => row.state)),
    plainArray(rows.map((row) => row.flags)),
    plainArray(rows.map((row) => row.priority)),
    plainArray(rows.map((row) => row.generation)),
    plainArray(rows.map((row) => row.attempt)),
    plainArray(rows.map((row) => row.retries)),
    plainArray(rows.map((row) => row.reassigns)),
    plainArray(rows.map((row) => row.seq)),
    plainArray(rows.map((row) => row.dueUs)),
    plainArray(rows.map((row) => row.workerId)),
    plainArray(rows.map((row) => row.batchId)),
    textArray(rows.map((row) => row.demands)),
    plainArray(rows.map((row) => row.invocation)),
  ],
};
