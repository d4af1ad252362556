import type { HistoryRow } from '../../model/stored-rows.ts';
import { journalLetters } from '../../model/task/journal-letters.ts';
import { plainArray, textArray } from '../array-literal.ts';
import type { Statement } from '../statement.ts';

export const insertHistory: Statement<HistoryRow> = {
  name: 'insert_history',
  text: `
    INSERT INTO history (task_id, seq, tenant_id, attempt, kinds, worker_id, message)
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::integer[], $5::text[], $6::uuid[], $7::text[])`,
  values: (rows) => [
    plainArray(rows.map((row) => row.taskId)),
    plainArray(rows.map((row) => row.seq)),
    plainArray(rows.map((row) => row.tenantId)),
    plainArray(rows.map((row) => row.attempt)),
    plainArray(rows.map((row) => journalLetters(row.transitions))),
    plainArray(rows.map((row) => row.workerId)),
    textArray(rows.map((row) => row.message)),
  ],
};
