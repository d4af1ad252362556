import type { LiveRow } from '../../model/stored-rows.ts';
import { plainField, textField } from '../copy-lines.ts';
import { copyInto } from '../copy-statement.ts';

export const insertLive = copyInto<LiveRow>({
  name: 'insert_live',
  table: 'live',
  columns: [
    'task_id',
    'run_id',
    'tenant_id',
    'version_id',
    'shard',
    'step',
    'state',
    'flags',
    'priority',
    'generation',
    'attempt',
    'retries',
    'reassigns',
    'seq',
    'due_us',
    'worker_id',
    'batch_id',
    'demands',
    'invocation',
  ],
  lines: (rows) => {
    let lines = '';
    for (const row of rows) {
      lines += `${row.taskId}\t${row.runId}\t${row.tenantId}\t${row.versionId}\t${row.shard}\t${row.step}\t${row.state}\t${row.flags}\t${row.priority}`;
      lines += `\t${row.generation}\t${row.attempt}\t${row.retries}\t${row.reassigns}\t${row.seq}\t${row.dueUs}`;
      lines += `\t${plainField(row.workerId)}\t${plainField(row.batchId)}\t${textField(row.demands)}\t${row.invocation}\n`;
    }
    return lines;
  },
});
