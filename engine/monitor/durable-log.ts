import type { Pool } from 'pg';
import type { Asked } from '../model/durable.ts';
import { isEntryKind, type EntryKind } from '../model/durable.ts';
import { isRunStatus, type RunStatus } from '../model/status.ts';
import { nodeKey, readNodeResults, type NodeResult } from './durable-results.ts';

/** A line of a durable task's log, for people. */
export interface LogEntry {
  taskId: string;
  branch: number;
  node: number;
  kind: EntryKind;
  asked: Asked;
  /** The invocation that asked first, and when. */
  invocation: number;
  askedUs: number;
  childRunId: string | null;
  /** Null while it is open. */
  satisfiedUs: number | null;
  status: RunStatus | null;
  result: NodeResult | null;
}

interface EntrySqlRow {
  task_id: string;
  branch: number;
  node: number;
  kind: number;
  asked: string;
  invocation: number;
  seq: string;
  child_run_id: string | null;
  result_seq: string | null;
  status: number | null;
}

/** The tenant is the run's: a foreign task has no log. */
const readEntries = {
  name: 'durable_log',
  text: `
    SELECT e.task_id, e.branch, e.node, e.kind, e.asked, e.invocation, e.seq, e.child_run_id, r.seq AS result_seq, r.status
    FROM task t
    JOIN run ON run.id = t.run_id AND run.tenant_id = $1
    JOIN durable_entry e ON e.task_id = t.id
    LEFT JOIN durable_result r ON r.task_id = e.task_id AND r.branch = e.branch AND r.node = e.node AND r.condition = -1
    WHERE t.id = $2
    ORDER BY e.branch, e.node
    LIMIT $3 OFFSET $4`,
};

/** By branch and node, branches themselves at node 0. Results come with those nodes that have one. */
export async function readDurableLog(pool: Pool, options: { tenantId: string; taskId: string; limit: number; offset: number }): Promise<LogEntry[]> {
  const { rows } = await pool.query<EntrySqlRow>({ ...readEntries, values: [options.tenantId, options.taskId, options.limit, options.offset] });
  const done = rows.filter((row) => row.result_seq !== null).map((row) => ({ taskId: row.task_id, branch: row.branch, node: row.node }));
  const results = done.length === 0 ? new Map<string, NodeResult>() : await readNodeResults(pool, done);
  return rows.flatMap((row) => {
    if (!isEntryKind(row.kind)) return [];
    const asked: Asked = JSON.parse(row.asked);
    return [
      {
        taskId: row.task_id,
        branch: row.branch,
        node: row.node,
        kind: row.kind,
        asked,
        invocation: row.invocation,
        askedUs: Number(row.seq),
        childRunId: row.child_run_id,
        satisfiedUs: row.result_seq === null ? null : Number(row.result_seq),
        status: row.status !== null && isRunStatus(row.status) ? row.status : null,
        result: results.get(nodeKey({ taskId: row.task_id, branch: row.branch, node: row.node })) ?? null,
      },
    ];
  });
}

const readSignals = {
  name: 'durable_signal',
  text: `
    SELECT r.payload
    FROM task t
    JOIN run ON run.id = t.run_id AND run.tenant_id = $1
    JOIN durable_entry e ON e.task_id = t.id AND e.branch = 0 AND e.kind = 4 AND e.fingerprint = $3
    JOIN durable_result r ON r.task_id = e.task_id AND r.branch = e.branch AND r.node = e.node AND r.condition = -1
    WHERE t.id = $2`,
};

/** What satisfied a signal of an older SDK's task; undefined while nothing has. */
export async function readSignal(pool: Pool, options: { tenantId: string; taskId: string; key: string }): Promise<string | undefined> {
  const { rows } = await pool.query<{ payload: string | null }>({ ...readSignals, values: [options.tenantId, options.taskId, options.key] });
  return rows[0]?.payload ?? undefined;
}
