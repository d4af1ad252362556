import type { TaskInsert } from '../../model/stored-rows.ts';
import { copyInto } from '../copy-statement.ts';

export const insertTasks = copyInto<TaskInsert>({
  name: 'insert_tasks',
  table: 'task',
  columns: ['id', 'run_id', 'step'],
  lines: (rows) => {
    let lines = '';
    for (const { id, runId, step } of rows) lines += `${id}\t${runId}\t${step}\n`;
    return lines;
  },
});
