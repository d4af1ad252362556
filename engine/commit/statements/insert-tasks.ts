import type { TaskInsert } from '../../model/stored-rows.ts';
import type { CopyStatement } from '../statement.ts';

export const insertTasks: CopyStatement<TaskInsert> = {
  name: 'insert_tasks',
  text: 'COPY task (id, run_id, step) FROM STDIN',
  lines: (rows) => {
    let lines = '';
    for (const { id, runId, step } of rows) lines += `${id}\t${runId}\t${step}\n`;
    return lines;
  },
};
