import type { StickyRow } from '../../model/stored-rows.ts';
import { plainArray } from '../array-literal.ts';
import type { Statement } from '../statement.ts';

/** Once a run of a sticky workflow; apart from the other columns of `live`, which every task writes. */
export const updateSticky: Statement<StickyRow> = {
  name: 'update_sticky',
  text: `
    UPDATE live l SET sticky_worker_id = u.worker_id
    FROM unnest($1::uuid[], $2::uuid[]) AS u (task_id, worker_id)
    WHERE l.task_id = u.task_id`,
  values: (rows) => [plainArray(rows.map((row) => row.taskId)), plainArray(rows.map((row) => row.workerId))],
};
