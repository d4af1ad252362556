import type { Pool } from 'pg';
import type { Asked, BranchPoint } from '../../model/durable/durable.ts';
import { isEntryKind, parseAsked, type EntryKind } from '../../model/durable/durable.ts';
import { isRunStatus, type RunStatus } from '../../model/task/status.ts';
import { nodeKey, readNodeResults, type NodeResult } from './durable-results.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';
import { taskNamed } from '../../postgres/rows-of-a-run.ts';

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
  /** Indexes of those conditions that are met, while the wait is open. */
  met: readonly number[];
  /** Null while it is open. */
  satisfiedUs: number | null;
  status: RunStatus | null;
  result: NodeResult | null;
  /** Characters of what was asked and of the result. */
  size: number;
  /** When anything of it changed last. */
  changedUs: number;
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
  met: number[] | null;
  result_seq: string | null;
  status: number | null;
  changed: string;
}

/** The tenant is the run's: a foreign task has no log. */
const text = (tail: string): string => `
    SELECT e.task_id, e.branch, e.node, e.kind, e.asked, e.invocation, e.seq, e.child_run_id, m.met, r.seq AS result_seq, r.status, c.changed
    FROM ${taskNamed('$2')} t
    JOIN run ON run.id = t.run_id AND run.tenant_id = $1
    JOIN durable_entry e ON e.task_id = t.id
    LEFT JOIN durable_result r ON r.task_id = e.task_id AND r.branch = e.branch AND r.node = e.node AND r.condition = -1
    LEFT JOIN LATERAL (
      SELECT array_agg(m.condition::integer) AS met, max(m.seq) AS seq FROM durable_result m
      WHERE m.task_id = e.task_id AND m.branch = e.branch AND m.node = e.node AND m.condition >= 0
    ) m ON true
    CROSS JOIN LATERAL (SELECT greatest(e.seq, m.seq, r.seq) AS changed) c
    WHERE true ${tail}`;

const readPage = {
  name: 'durable_log',
  text: text('AND (e.branch, e.node) > ($5, $6) ORDER BY e.branch, e.node LIMIT $3 OFFSET $4'),
};
/** In the order of change: a reader that pages through it while the log grows misses nothing. */
const readChanges = { name: 'durable_log_changes', text: text('AND c.changed > $4 ORDER BY c.changed LIMIT $3') };

interface LogOptions {
  tenantId: TenantId;
  taskId: string;
  limit: number;
  /** Characters of each output; 0 reads no results. */
  outputChars: number;
}

/** By branch and node, branches themselves at node 0. Results come with those nodes that have one. */
export async function readDurableLog(
  pool: Pool,
  options: LogOptions & { offset?: number; after?: { branch: number; node: number } },
): Promise<LogEntry[]> {
  const { tenantId, taskId, limit, offset = 0, after = { branch: -1, node: -1 } } = options;
  const { rows } = await pool.query<EntrySqlRow>({
    ...readPage,
    values: [tenantId, taskId, limit, offset, after.branch, after.node],
  });
  return withResults(pool, rows, options.outputChars);
}

/** What has changed after a time of the shard's clock, oldest change first. */
export async function readDurableChanges(pool: Pool, options: LogOptions & { sinceUs: number }): Promise<LogEntry[]> {
  const { tenantId, taskId, limit, sinceUs } = options;
  const { rows } = await pool.query<EntrySqlRow>({ ...readChanges, values: [tenantId, taskId, limit, sinceUs] });
  return withResults(pool, rows, options.outputChars);
}

async function withResults(pool: Pool, rows: readonly EntrySqlRow[], outputChars: number): Promise<LogEntry[]> {
  const done = (outputChars === 0 ? [] : rows)
    .filter((row) => row.result_seq !== null)
    .map((row) => ({ taskId: row.task_id, branch: row.branch, node: row.node }));
  const results = done.length === 0 ? new Map<string, NodeResult>() : await readNodeResults(pool, done, outputChars);
  return rows.flatMap((row) => {
    if (!isEntryKind(row.kind)) return [];
    const { asked, askedUs } = parseAsked(row.asked, Number(row.seq));
    const result = results.get(nodeKey({ taskId: row.task_id, branch: row.branch, node: row.node })) ?? null;
    return [
      {
        taskId: row.task_id,
        branch: row.branch,
        node: row.node,
        kind: row.kind,
        asked,
        invocation: row.invocation,
        askedUs,
        childRunId: row.child_run_id,
        met: row.met ?? [],
        satisfiedUs: row.result_seq === null ? null : Number(row.result_seq),
        status: row.status !== null && isRunStatus(row.status) ? row.status : null,
        result,
        size: row.asked.length + (result?.output?.length ?? 0) + (result?.error?.length ?? 0),
        changedUs: Number(row.changed),
      },
    ];
  });
}

const readOpen = {
  name: 'durable_open',
  text: `
    SELECT e.task_id, e.branch, e.node, e.asked, e.child_run_id
    FROM unnest($1::uuid[]) AS u (id)
    CROSS JOIN LATERAL (
      SELECT * FROM durable_entry e
      WHERE e.task_id = u.id AND e.kind IN (1, 2, 4)
        AND NOT EXISTS (SELECT FROM durable_result r WHERE r.task_id = e.task_id AND r.branch = e.branch AND r.node = e.node AND r.condition = -1)
      ORDER BY e.branch DESC, e.node LIMIT 1000
    ) e
    ORDER BY e.task_id, e.branch, e.node`,
};

const readPoints = {
  name: 'durable_branches',
  text: `
    SELECT e.task_id, e.branch, e.asked FROM unnest($1::uuid[]) AS u (id)
    JOIN durable_entry e ON e.task_id = u.id AND e.kind = 0
    ORDER BY e.task_id, e.branch`,
};

export interface OpenNode {
  taskId: string;
  branch: number;
  node: number;
  asked: Asked;
  childRunId: string | null;
}

/** Waits and children of the tasks, on any branch, that have no result yet. */
export async function readOpenNodes(pool: Pool, taskIds: readonly string[]): Promise<OpenNode[]> {
  const { rows } = await pool.query<Pick<EntrySqlRow, 'task_id' | 'branch' | 'node' | 'asked' | 'child_run_id'>>({
    ...readOpen,
    values: [taskIds],
  });
  return rows.map((row) => ({
    taskId: row.task_id,
    branch: row.branch,
    node: row.node,
    asked: JSON.parse(row.asked),
    childRunId: row.child_run_id,
  }));
}

/** Where the branches of the tasks leave each other, oldest first. */
export async function readBranchPoints(
  pool: Pool,
  taskIds: readonly string[],
): Promise<(BranchPoint & { taskId: string })[]> {
  const { rows } = await pool.query<Pick<EntrySqlRow, 'task_id' | 'branch' | 'asked'>>({
    ...readPoints,
    values: [taskIds],
  });
  return rows.flatMap((row) => {
    const asked: Asked = JSON.parse(row.asked);
    return asked.kind === 'branch'
      ? [
          {
            taskId: row.task_id,
            branch: row.branch,
            parent: asked.parent,
            first: asked.first,
            hasInput: asked.hasInput === true,
          },
        ]
      : [];
  });
}

const readSignals = {
  name: 'durable_signal',
  text: `
    SELECT r.payload
    FROM ${taskNamed('$2')} t
    JOIN run ON run.id = t.run_id AND run.tenant_id = $1
    JOIN durable_entry e ON e.task_id = t.id AND e.branch = 0 AND e.kind = 4 AND e.fingerprint = $3
    JOIN durable_result r ON r.task_id = e.task_id AND r.branch = e.branch AND r.node = e.node AND r.condition = -1`,
};

/** What satisfied a signal of an older SDK's task; undefined while nothing has. */
export async function readSignal(
  pool: Pool,
  options: { tenantId: TenantId; taskId: string; key: string },
): Promise<string | undefined> {
  const { rows } = await pool.query<{ payload: string | null }>({
    ...readSignals,
    values: [options.tenantId, options.taskId, options.key],
  });
  return rows[0]?.payload ?? undefined;
}
