import { randomBytes } from 'node:crypto';
import type { Client } from 'pg';

const tenant = '00000000-0000-7000-8000-000000000001';
const other = '00000000-0000-7000-8000-000000000002';

export function idAt(ms: number): string {
  const time = ms.toString(16).padStart(12, '0');
  const tail = randomBytes(10).toString('hex');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${tail.slice(0, 3)}-8${tail.slice(3, 6)}-${tail.slice(6, 18)}`;
}

export async function insertJournal(on: Client, taskId: string, seq: number): Promise<void> {
  await on.query(`INSERT INTO history (task_id, seq, tenant_id, attempt, kinds) VALUES ($1, $2, $3, 0, 'Q')`, [
    taskId,
    seq,
    tenant,
  ]);
}

/** A run with a row in every table; unfinished ones have an earlier generation's end as well, as after a replay. */
export async function insertRun(
  on: Client,
  ms: number,
  options: { unfinished: boolean; parent?: string },
): Promise<string> {
  const id = idAt(ms);
  await on.query(`INSERT INTO run VALUES ($1, $2, $3, $3, 1, '{}', '{}', $4)`, [
    id,
    tenant,
    other,
    options.parent ?? null,
  ]);
  await on.query('INSERT INTO task VALUES ($1, $1, 0)', [id]);
  await insertJournal(on, id, 1);
  await on.query(
    `INSERT INTO log_line (task_id, tenant_id, at, attempt, level, message, metadata) VALUES ($1, $2, now(), 0, 1, 'line', '{}')`,
    [id, tenant],
  );
  await on.query('INSERT INTO result VALUES ($1, 0, 3, 0, 2)', [id]);
  await on.query('INSERT INTO run_end VALUES ($1, 3, $2, 0, 2)', [tenant, id]);
  if (options.unfinished)
    await on.query('INSERT INTO live VALUES ($1, $1, $2, $3, 0, 0, 3, 0, 1, 1, 1, 0, 0, 3, 0)', [id, tenant, other]);
  return id;
}

/** How many of the six tables have the run. */
export async function presence(on: Client, id: string): Promise<number> {
  const { rows } = await on.query<{ n: string }>(
    `SELECT (SELECT count(*) FROM run WHERE id = $1) + (SELECT count(*) FROM task WHERE run_id = $1) + (SELECT count(*) FROM result WHERE task_id = $1)
       + (SELECT count(*) FROM run_end WHERE run_id = $1) + (SELECT count(*) FROM history WHERE task_id = $1) + (SELECT count(*) FROM log_line WHERE task_id = $1) AS n`,
    [id],
  );
  return Number(rows[0]?.n);
}
