import type { Sql } from '../postgres/sql-client.ts';
import type { RunPayload } from '../model/payload/run-payload.ts';

export const runPayloads = {
  name: 'run_payloads',
  text: `SELECT r.id, r.input, r.metadata::text AS metadata, r.filter_payload AS "filterPayload", r.parent_task_id AS "parentTaskId", r.child_index AS "childIndex", r.child_key AS "childKey" FROM unnest($1::uuid[]) AS u (id) JOIN run r ON r.id = u.id`,
};

interface RunPayloadRow extends RunPayload {
  id: string;
}

/** Inputs for dispatch: the few that memory no longer holds. */
export async function readRunPayloads(pool: Sql, runIds: readonly string[]): Promise<Map<string, RunPayloadRow>> {
  const { rows } = await pool.query<RunPayloadRow>({ ...runPayloads, values: [runIds] });
  return new Map(rows.map((row) => [row.id, row]));
}

export const taskOutputs = {
  name: 'task_outputs',
  text: `
    SELECT x.task_id, x.output FROM unnest($1::uuid[], $2::integer[]) AS u (task_id, generation)
    JOIN LATERAL (SELECT * FROM result x WHERE x.task_id = u.task_id AND x.generation <= u.generation ORDER BY x.generation DESC LIMIT 1) x ON true
    WHERE x.output IS NOT NULL`,
};

export async function readTaskOutputs(
  pool: Sql,
  tasks: readonly { taskId: string; generation: number }[],
): Promise<Map<string, string>> {
  if (tasks.length === 0) return new Map();
  const { rows } = await pool.query<{ task_id: string; output: string }>({
    ...taskOutputs,
    values: [tasks.map((task) => task.taskId), tasks.map((task) => task.generation)],
  });
  return new Map(rows.map((row) => [row.task_id, row.output]));
}

export const taskErrors = {
  name: 'task_errors',
  text: `
    SELECT x.task_id, x.error FROM unnest($1::uuid[], $2::integer[]) AS u (task_id, generation)
    JOIN LATERAL (SELECT * FROM result x WHERE x.task_id = u.task_id AND x.generation <= u.generation ORDER BY x.generation DESC LIMIT 1) x ON true
    WHERE x.error IS NOT NULL`,
};

/** For on-failure tasks. */
export async function readTaskErrors(
  pool: Sql,
  tasks: readonly { taskId: string; generation: number }[],
): Promise<Map<string, string>> {
  if (tasks.length === 0) return new Map();
  const { rows } = await pool.query<{ task_id: string; error: string }>({
    ...taskErrors,
    values: [tasks.map((task) => task.taskId), tasks.map((task) => task.generation)],
  });
  return new Map(rows.map((row) => [row.task_id, row.error]));
}

export const taskInputs = {
  name: 'task_inputs',
  text: `
    SELECT r.task_id, r.payload FROM unnest($1::uuid[], $2::integer[]) AS u (task_id, branch)
    JOIN durable_result r ON r.task_id = u.task_id AND r.branch = u.branch AND r.node = 0 AND r.condition = -1
    WHERE r.payload IS NOT NULL`,
};

/** Of durable tasks that continued as new: with which input, by the branch that began with it. */
export async function readTaskInputs(
  pool: Sql,
  tasks: readonly { taskId: string; branch: number }[],
): Promise<Map<string, string>> {
  if (tasks.length === 0) return new Map();
  const { rows } = await pool.query<{ task_id: string; payload: string }>({
    ...taskInputs,
    values: [tasks.map(({ taskId }) => taskId), tasks.map(({ branch }) => branch)],
  });
  return new Map(rows.map((row) => [row.task_id, row.payload]));
}
