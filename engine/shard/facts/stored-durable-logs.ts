import type { Sql } from '../../postgres/sql-client.ts';
import {
  EntryKind,
  firstBranch,
  isEntryKind,
  parseAsked,
  wholeNode,
  type Asked,
  type BranchPoint,
} from '../../model/durable/durable.ts';
import { groupBy } from '../../model/group-by.ts';
import { isRunStatus, isTerminal, RunStatus, type TerminalStatus } from '../../model/task/status.ts';
import { InvocationProgress } from '../../plan/durable/invocation-progress.ts';
import { branchOfNode, conditionsOf, DurableLog, type DurableNode } from '../../plan/durable/durable-log.ts';

export interface EntrySqlRow {
  task_id: string;
  branch: number;
  node: number;
  kind: number;
  fingerprint: string;
  asked: string;
  invocation: number;
  seq: string;
  child_run_id: string | null;
  /** Of the whole node; null while it is open. */
  result_seq: string | null;
  status: number | null;
}

export interface MetSqlRow {
  task_id: string;
  branch: number;
  node: number;
  condition: number;
  payload: string | null;
  seq?: string;
  status?: number | null;
}

/** @param $2 by task, the oldest branch whose nodes are needed. $3 entries of one task at the most */
export const readEntries = {
  name: 'durable_entries',
  text: `
    SELECT e.task_id, e.branch, e.node, e.kind, e.fingerprint, e.asked, e.invocation, e.seq, e.child_run_id, r.seq AS result_seq, r.status
    FROM unnest($1::uuid[], $2::integer[]) AS u (id, oldest)
    JOIN LATERAL (
      (SELECT * FROM durable_entry e WHERE e.task_id = u.id AND e.branch = 0 ORDER BY e.node LIMIT $3)
      UNION ALL
      (SELECT * FROM durable_entry e WHERE e.task_id = u.id AND e.branch >= u.oldest ORDER BY e.branch, e.node LIMIT $3)
    ) e ON true
    LEFT JOIN durable_result r ON r.task_id = e.task_id AND r.branch = e.branch AND r.node = e.node AND r.condition = -1
    ORDER BY e.task_id, e.branch, e.node`,
};

/** Conditions of open waits that are met already. */
export const readMet = {
  name: 'durable_met',
  text: `
    SELECT r.task_id, r.branch, r.node, r.condition, r.payload
    FROM unnest($1::uuid[]) AS u (id)
    JOIN durable_result r ON r.task_id = u.id AND r.condition >= 0
    WHERE NOT EXISTS (SELECT FROM durable_result w WHERE w.task_id = r.task_id AND w.branch = r.branch AND w.node = r.node AND w.condition = -1)`,
};

export const readPoints = {
  name: 'durable_points',
  text: `
    SELECT e.task_id, e.branch, e.node, e.asked FROM unnest($1::uuid[]) AS u (id) JOIN durable_entry e ON e.task_id = u.id
    WHERE e.kind = 0 ORDER BY e.task_id, e.branch`,
};

/** By task; those that never branched are absent. */
export async function readBranchPoints(client: Sql, taskIds: readonly string[]): Promise<Map<string, BranchPoint[]>> {
  if (taskIds.length === 0) return new Map();
  const { rows } = await client.query<Pick<EntrySqlRow, 'task_id' | 'branch' | 'node' | 'asked'>>({
    ...readPoints,
    values: [taskIds],
  });
  return new Map([...groupBy(rows, (row) => row.task_id)].map(([id, points]) => [id, points.map(pointOf)]));
}

/** A task's log as it is stored, and where its branches leave each other. */
export class StoredLog {
  readonly points: BranchPoint[] = [];
  readonly #nodes = new Map<string, DurableNode>();
  /** The newest row that is in it: what was committed later has a higher one. */
  seq = 0;

  get entries(): DurableNode[] {
    return [...this.#nodes.values()];
  }

  /** Of one branch after the other, in the order of their nodes. */
  add(row: EntrySqlRow): void {
    this.seq = Math.max(this.seq, Number(row.seq), Number(row.result_seq ?? 0));
    if (row.kind === EntryKind.Branch) this.points.push(pointOf(row));
    else this.#nodes.set(`${row.branch} ${row.node}`, nodeOf(row));
  }

  /** A condition of a wait, or with wholeNode how the node was satisfied, which are newer than the rest. */
  meet(row: MetSqlRow): void {
    const node = this.at(row.branch, row.node);
    if (node === undefined) return;
    this.seq = Math.max(this.seq, Number(row.seq ?? 0));
    if (row.condition === wholeNode) node.result = { seq: Number(row.seq ?? 0), status: statusOf(row.status ?? null) };
    else if (node.result === null && row.condition < conditionsOf(node).length) node.met[row.condition] = row.payload;
  }

  /** Whether some wait is open of which a part may be met: the first condition that is met satisfies a wait that has only one. */
  get mayBePartlyMet(): boolean {
    for (const node of this.#nodes.values()) if (node.result === null && conditionsOf(node).length > 1) return true;
    return false;
  }

  at(branch: number, node: number): DurableNode | undefined {
    return this.#nodes.get(`${branch} ${node}`);
  }
}

/** @returns by task; those without a log are absent */
export async function readStoredLogs(client: Sql, taskIds: readonly string[]): Promise<Map<string, StoredLog>> {
  return (
    await readShortLogs(
      client,
      taskIds.map((taskId) => ({ taskId, oldestBranch: firstBranch })),
      null,
    )
  ).logs;
}

/** A log, from a branch on: a task sees nothing of those before the oldest that its newest one comes from. */
export interface LogPart {
  readonly taskId: string;
  readonly oldestBranch: number;
}

/**
 * @param most entries of one task; null for any number
 * @returns by task; those without a log are absent, those with a longer one are not read
 */
export async function readShortLogs(
  client: Sql,
  parts: readonly LogPart[],
  most: number | null,
): Promise<{ logs: Map<string, StoredLog>; long: string[] }> {
  const logs = new Map<string, StoredLog>();
  const long: string[] = [];
  if (parts.length === 0) return { logs, long };
  const { rows } = await client.query<EntrySqlRow>({
    ...readEntries,
    values: [
      parts.map(({ taskId }) => taskId),
      parts.map(({ oldestBranch }) => oldestBranch),
      most === null ? null : most + 1,
    ],
  });
  for (const [taskId, entries] of groupBy(rows, (row) => row.task_id)) {
    if (most !== null && entries.length > most) {
      long.push(taskId);
      continue;
    }
    const log = new StoredLog();
    for (const entry of entries) log.add(entry);
    logs.set(taskId, log);
  }
  const partlyMet = [...logs].flatMap(([taskId, log]) => (log.mayBePartlyMet ? taskId : []));
  if (partlyMet.length === 0) return { logs, long };
  const met = await client.query<MetSqlRow>({ ...readMet, values: [partlyMet] });
  for (const condition of met.rows) logs.get(condition.task_id)?.meet(condition);
  return { logs, long };
}

export function pointOf(row: { task_id: string; branch: number; node: number; asked: string }): BranchPoint {
  const asked: Asked = JSON.parse(row.asked);
  if (asked.kind !== 'branch') throw new Error(`entry ${row.task_id} ${row.branch} ${row.node} is no branch`);
  return { branch: row.branch, parent: asked.parent, first: asked.first, hasInput: asked.hasInput === true };
}

function nodeOf(row: EntrySqlRow): DurableNode {
  const { asked, askedUs } = parseAsked(row.asked, Number(row.seq));
  if (!isEntryKind(row.kind))
    throw new Error(
      `entry ${row.task_id} ${row.branch} ${row.node} is of the unknown kind ${row.kind}: was this database written by a newer version?`,
    );
  return {
    branch: row.branch,
    node: row.node,
    kind: row.kind,
    fingerprint: row.fingerprint,
    asked,
    askedSeq: Number(row.seq),
    askedUs,
    invocation: row.invocation,
    childRunId: row.child_run_id,
    met: [],
    result: row.result_seq === null ? null : { seq: Number(row.result_seq), status: statusOf(row.status) },
    need: 0,
  };
}

function statusOf(status: number | null): TerminalStatus {
  return status !== null && isRunStatus(status) && isTerminal(status) ? status : RunStatus.Completed;
}

/** What is read of a stored log. */
export type ReadableLog = Pick<StoredLog, 'at' | 'entries'> & { readonly points: readonly BranchPoint[] };

/** What a branch sees: its own nodes, and its ancestors' up to where it left them. */
export function visibleNodes(stored: ReadableLog, branch: number): DurableNode[] {
  const nodes: DurableNode[] = [];
  for (let at = 1; ; at++) {
    const node = stored.at(branchOfNode(stored.points, branch, at), at);
    if (node === undefined) return nodes;
    nodes.push(node);
  }
}

/** Along a branch, later nodes were asked later. */
function askedBefore(nodes: readonly DurableNode[], seq: number): number {
  let low = 0;
  let high = nodes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((nodes[middle]?.askedSeq ?? Infinity) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The task's log, and what its invocation knows of it. How far a running invocation has come is known where it has asked for nothing yet, where there is
 * nothing to replay, or where the newest node is its own: nodes are new only after all of the replay.
 */
export function loadedLog(
  taskId: string,
  stored: ReadableLog | undefined,
  { invocation, begins }: { invocation: number; begins: boolean },
): { log: DurableLog; delivery: InvocationProgress } {
  const branch = stored?.points.at(-1)?.branch ?? firstBranch;
  const nodes = stored === undefined ? [] : visibleNodes(stored, branch);
  for (const node of nodes) {
    const { result } = node;
    if (result !== null) node.need = askedBefore(nodes, result.seq);
  }
  const position = begins ? 0 : nodes.length === 0 || nodes.at(-1)?.invocation === invocation ? nodes.length : -1;
  const log = new DurableLog({ taskId, branch, nodes });
  for (const node of stored?.entries ?? []) if (node.asked.kind === 'signal') log.signals.set(node.asked.key, node);
  return { log, delivery: new InvocationProgress({ position }) };
}
