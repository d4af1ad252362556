import { EntryKind } from '../../model/durable/durable.ts';
import type { Sql } from '../../postgres/sql-client.ts';
import { groupBy } from '../../model/group-by.ts';
import { RunStatus } from '../../model/task/status.ts';
import { tasksOf } from '../../postgres/rows-of-a-run.ts';

export interface NodeRef {
  taskId: string;
  branch: number;
  node: number;
}

/** How a node came out: JSON, or the raw failed payload. */
export interface NodeResult {
  output: string | null;
  error: string | null;
}

export const readResults = {
  name: 'durable_node_results',
  text: `
    SELECT r.task_id, r.branch, r.node, e.kind, r.status, left(r.payload, $4) AS payload, r.generation, e.child_run_id
    FROM unnest($1::uuid[], $2::integer[], $3::integer[]) AS u (task_id, branch, node)
    JOIN durable_result r ON r.task_id = u.task_id AND r.branch = u.branch AND r.node = u.node AND r.condition = -1
    JOIN durable_entry e ON e.task_id = r.task_id AND e.branch = r.branch AND e.node = r.node`,
};

interface ResultSqlRow {
  task_id: string;
  branch: number;
  node: number;
  kind: number;
  status: number;
  payload: string | null;
  generation: number | null;
  child_run_id: string | null;
}

/**
 * Of children, the tasks' results as they were in the generation whose end counted: of their outputs together not many more characters
 * than are asked for, counted as four bytes each, and of those behind none. Each child once, however often it is asked for: a lone task twice would look like two.
 */
export const readChildren = {
  name: 'durable_child_results',
  text: `
    SELECT u.run_id, u.generation, t.id AS task_id, v.definition -> 'steps' -> t.step::integer ->> 'name' AS step_name, 
      CASE WHEN coalesce(sum(octet_length(x.output)) OVER (PARTITION BY u.run_id, u.generation ORDER BY t.step ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) < $3::bigint * 4 THEN left(x.output, $3::integer) END AS output, x.error
    FROM (SELECT DISTINCT * FROM unnest($1::uuid[], $2::integer[]) AS given (run_id, generation)) u
    JOIN run r ON r.id = u.run_id
    JOIN workflow_version v ON v.id = r.version_id
    JOIN LATERAL ${tasksOf('r')} t ON true
    LEFT JOIN LATERAL (SELECT x.output, x.error FROM result x WHERE x.task_id = t.id AND x.generation <= u.generation ORDER BY x.generation DESC LIMIT 1) x ON true
    ORDER BY u.run_id, t.step`,
};

interface ChildSqlRow {
  run_id: string;
  generation: number;
  task_id: string;
  step_name: string;
  output: string | null;
  error: string | null;
}

/** More characters than any payload has. */
const whole = 2 ** 31 - 1;

/** By `nodeKey`; nodes that are open are absent. @param most characters of each output; what is cut is no JSON any more */
export async function readNodeResults(
  pool: Sql,
  refs: readonly NodeRef[],
  most = whole,
): Promise<Map<string, NodeResult>> {
  const { rows } = await pool.query<ResultSqlRow>({
    ...readResults,
    values: [refs.map((ref) => ref.taskId), refs.map((ref) => ref.branch), refs.map((ref) => ref.node), most],
  });
  const children = rows.flatMap((row) =>
    row.kind === EntryKind.Child && row.child_run_id !== null && row.generation !== null
      ? [{ runId: row.child_run_id, generation: row.generation }]
      : [],
  );
  const childRows =
    children.length === 0
      ? []
      : (
          await pool.query<ChildSqlRow>({
            ...readChildren,
            values: [children.map((child) => child.runId), children.map((child) => child.generation), most],
          })
        ).rows;
  const byChild = groupBy(childRows, (row) => `${row.run_id} ${row.generation}`);
  return new Map(
    rows.map((row) => [
      nodeKey({ taskId: row.task_id, branch: row.branch, node: row.node }),
      resultOf(row, byChild.get(`${row.child_run_id} ${row.generation}`)),
    ]),
  );
}

function resultOf(row: ResultSqlRow, tasks: readonly ChildSqlRow[] | undefined): NodeResult {
  if (tasks === undefined)
    return row.status === RunStatus.Completed
      ? { output: row.payload, error: null }
      : { output: null, error: row.payload };
  if (row.status !== RunStatus.Completed)
    return { output: null, error: tasks.find((task) => task.error !== null)?.error ?? null };
  const [only] = tasks;
  if (only !== undefined && tasks.length === 1 && only.task_id === only.run_id)
    return { output: only.output, error: null };
  return {
    output: `{${tasks.map((task) => `${JSON.stringify(task.step_name)}:${task.output ?? 'null'}`).join(',')}}`,
    error: null,
  };
}

export function nodeKey(ref: NodeRef): string {
  return `${ref.taskId} ${ref.branch} ${ref.node}`;
}
