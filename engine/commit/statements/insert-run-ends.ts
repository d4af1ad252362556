import type { RunEndRow } from '../../model/stored-rows.ts';
import type { CopyStatement } from '../statement.ts';

export const insertRunEnds: CopyStatement<RunEndRow> = {
  name: 'insert_run_ends',
  text: 'COPY run_end (tenant_id, status, run_id, generation, seq) FROM STDIN',
  lines: (rows) => {
    let lines = '';
    for (const { tenantId, status, runId, generation, seq } of rows)
      lines += `${tenantId}\t${status}\t${runId}\t${generation}\t${seq}\n`;
    return lines;
  },
};
