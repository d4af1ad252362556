import { plainArray } from '../array-literal.ts';
import type { Statement } from '../statement.ts';

export const deleteLive: Statement<string> = {
  name: 'delete_live',
  text: `DELETE FROM live l USING unnest($1::uuid[]) AS u (task_id) WHERE l.task_id = u.task_id`,
  values: (ids) => [plainArray(ids)],
};
