import type { ResultRow } from '../../model/stored-rows.ts';
import { plainArray, textArray } from '../array-literal.ts';
import { textField } from '../copy-lines.ts';
import { copyInto } from '../copy-statement.ts';
import { orStaged, stagedArrays, type Statement } from '../statement.ts';

/** The primary key (task, generation) is what makes a second result impossible. */
export const insertResults = copyInto<ResultRow>({
  name: 'insert_results',
  table: 'result',
  columns: ['task_id', 'generation', 'status', 'attempt', 'seq', 'output', 'error', 'invocation'],
  lines: (rows) => {
    let lines = '';
    for (const row of rows)
      lines += `${row.taskId}\t${row.generation}\t${row.status}\t${row.attempt}\t${row.seq}\t${textField(row.output)}\t${textField(row.error)}\t${row.invocation}\n`;
    return lines;
  },
});

/** Where an output is staged. */
export const insertStagedResults: Statement<ResultRow> = {
  name: 'insert_staged_results',
  text: `
    INSERT INTO result (task_id, generation, status, attempt, seq, output, error, invocation)
    SELECT u.task_id, u.generation, u.status, u.attempt, u.seq, ${orStaged('output')}, u.error, u.invocation
    FROM unnest($1::uuid[], $2::integer[], $3::smallint[], $4::integer[], $5::bigint[], $6::text[], $7::text[], $8::integer[], $9::uuid[]) AS u (task_id, generation, status, attempt, seq, output, error, invocation, staged)`,
  values: (rows, staged) => {
    const output = stagedArrays(
      rows.map((row) => row.output),
      staged,
    );
    return [
      plainArray(rows.map((row) => row.taskId)),
      plainArray(rows.map((row) => row.generation)),
      plainArray(rows.map((row) => row.status)),
      plainArray(rows.map((row) => row.attempt)),
      plainArray(rows.map((row) => row.seq)),
      output.texts,
      textArray(rows.map((row) => row.error)),
      plainArray(rows.map((row) => row.invocation)),
      output.ids,
    ];
  },
};
