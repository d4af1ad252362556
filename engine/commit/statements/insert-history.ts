import type { HistoryRow } from '../../model/stored-rows.ts';
import { journalLetters } from '../../model/task/journal-letters.ts';
import { plainField, textField } from '../copy-lines.ts';
import { copyInto } from '../copy-statement.ts';

export const insertHistory = copyInto<HistoryRow>({
  name: 'insert_history',
  table: 'history',
  columns: ['task_id', 'seq', 'tenant_id', 'attempt', 'kinds', 'worker_id', 'message'],
  lines: (rows) => {
    let lines = '';
    for (const { taskId, seq, tenantId, attempt, transitions, workerId, message } of rows)
      lines += `${taskId}\t${seq}\t${tenantId}\t${attempt}\t${journalLetters(transitions)}\t${plainField(workerId)}\t${textField(message)}\n`;
    return lines;
  },
});
