import type { TaskInsert } from '../../model/stored-rows.ts';
import { plainArray } from '../array-literal.ts';
import type { Statement } from '../statement.ts';

export const insertTasks: Statement<TaskInsert> = {
  name: 'insert_tasks',
  text: `
    INSERT INTO task (id, run_id, step)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::smallint[])`,
  values: (rows) => [
    plainArray(rows.map((row) => row.id)),
    plainArray(rows.map((row) => row.runId)),
    plainArray(rows.map((row) => row.step)),
  ],
};
