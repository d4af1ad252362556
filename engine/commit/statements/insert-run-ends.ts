import type { RunEndRow } from '../../model/stored-rows.ts';
import { copyInto } from '../copy-statement.ts';

export const insertRunEnds = copyInto<RunEndRow>({
  name: 'insert_run_ends',
  table: 'run_end',
  columns: ['tenant_id', 'status', 'run_id', 'generation', 'seq'],
  lines: (rows) => {
    let lines = '';
    for (const { tenantId, status, runId, generation, seq } of rows)
      lines += `${tenantId}\t${status}\t${runId}\t${generation}\t${seq}\n`;
    return lines;
  },
});
