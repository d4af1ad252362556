import type { ClientBase } from 'pg';
import {
  EntryKind,
  firstBranch,
  isEntryKind,
  parseAsked,
  wholeNode,
  type Asked,
  type BranchPoint,
} from '../model/durable.ts';
import { groupBy } from '../model/group-by.ts';
import { isRunStatus, isTerminal, RunStatus } from '../model/status.ts';
import { branchOfNode, conditionsOf, DurableLog, type DurableNode } from '../plan/durable/durable-log.ts';

interface EntrySqlRow {
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

interface MetSqlRow {
  task_id: string;
  branch: number;
  node: number;
  condition: number;
  payload: string | null;
}

const readEntries = {
  name: 'durable_entries',
  text: `
    SELECT e.task_id, e.branch, e.node, e.kind, e.fingerprint, e.asked, e.invocation, e.seq, e.child_run_id, r.seq AS result_seq, r.status
    FROM unnest($1::uuid[]) AS u (id)
    JOIN durable_entry e ON e.task_id = u.id
    LEFT JOIN durable_result r ON r.task_id = e.task_id AND r.branch = e.branch AND r.node = e.node AND r.condition = -1
    ORDER BY e.task_id, e.branch, e.node`,
};

/** Conditions of open waits that are met already. */
const readMet = {
  name: 'durable_met',
  text: `
    SELECT r.task_id, r.branch, r.node, r.condition, r.payload
    FROM unnest($1::uuid[]) AS u (id)
    JOIN durable_result r ON r.task_id = u.id AND r.condition >= 0`,
};

const readPoints = {
  name: 'durable_points',
  text: `
    SELECT e.task_id, e.branch, e.node, e.asked FROM unnest($1::uuid[]) AS u (id) JOIN durable_entry e ON e.task_id = u.id
    WHERE e.kind = 0 ORDER BY e.task_id, e.branch`,
};

/** By task; those that never branched are absent. */
export async function readBranchPoints(
  client: ClientBase,
  taskIds: readonly string[],
): Promise<Map<string, BranchPoint[]>> {
  if (taskIds.length === 0) return new Map();
  const { rows } = await client.query<Pick<EntrySqlRow, 'task_id' | 'branch' | 'node' | 'asked'>>({
    ...readPoints,
    values: [taskIds],
  });
  return new Map([...groupBy(rows, (row) => row.task_id)].map(([id, points]) => [id, points.map(pointOf)]));
}

/** A task's log as it is stored, and where its branches leave each other. */
export interface StoredLog {
  points: readonly BranchPoint[];
  entries: readonly DurableNode[];
}

/** By task; those without a log are absent. */
export async function readStoredLogs(client: ClientBase, taskIds: readonly string[]): Promise<Map<string, StoredLog>> {
  if (taskIds.length === 0) return new Map();
  const { rows } = await client.query<EntrySqlRow>({ ...readEntries, values: [taskIds] });
  const met = rows.length === 0 ? [] : (await client.query<MetSqlRow>({ ...readMet, values: [taskIds] })).rows;
  const metByNode = groupBy(met, (row) => `${row.task_id} ${row.branch} ${row.node}`);
  const logs = new Map<string, StoredLog>();
  for (const [taskId, entries] of groupBy(rows, (row) => row.task_id)) {
    const points = entries.filter((row) => row.kind === EntryKind.Branch).map(pointOf);
    const nodes = entries
      .filter((row) => row.kind !== EntryKind.Branch)
      .map((row) => nodeOf(row, metByNode.get(`${taskId} ${row.branch} ${row.node}`) ?? []));
    logs.set(taskId, { points, entries: nodes });
  }
  return logs;
}

export function pointOf(row: { task_id: string; branch: number; node: number; asked: string }): BranchPoint {
  const asked: Asked = JSON.parse(row.asked);
  if (asked.kind !== 'branch') throw new Error(`entry ${row.task_id} ${row.branch} ${row.node} is no branch`);
  return { branch: row.branch, parent: asked.parent, first: asked.first };
}

function nodeOf(row: EntrySqlRow, met: readonly MetSqlRow[]): DurableNode {
  const { asked, askedUs } = parseAsked(row.asked, Number(row.seq));
  if (!isEntryKind(row.kind))
    throw new Error(
      `entry ${row.task_id} ${row.branch} ${row.node} is of the unknown kind ${row.kind}: was this database written by a newer version?`,
    );
  const node: DurableNode = {
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
    result:
      row.result_seq === null
        ? null
        : {
            seq: Number(row.result_seq),
            status:
              row.status !== null && isRunStatus(row.status) && isTerminal(row.status)
                ? row.status
                : RunStatus.Completed,
          },
    need: 0,
  };
  if (node.result === null)
    for (const { condition, payload } of met)
      if (condition !== wholeNode && condition < conditionsOf(node).length) node.met[condition] = payload;
  return node;
}

/** What a branch sees: its own nodes, and its ancestors' up to where it left them. */
export function visibleNodes(stored: StoredLog, branch: number): DurableNode[] {
  const byPlace = new Map(stored.entries.map((node) => [`${node.branch} ${node.node}`, node]));
  const nodes: DurableNode[] = [];
  for (let at = 1; ; at++) {
    const node = byPlace.get(`${branchOfNode(stored.points, branch, at)} ${at}`);
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
 * The log in memory. How far a running invocation has come is known where it has asked for nothing yet, where there is
 * nothing to replay, or where the newest node is its own: nodes are new only after all of the replay.
 */
export function logFrom(
  taskId: string,
  stored: StoredLog | undefined,
  { invocation, begins }: { invocation: number; begins: boolean },
): DurableLog {
  const branch = stored?.points.at(-1)?.branch ?? firstBranch;
  const nodes = stored === undefined ? [] : visibleNodes(stored, branch);
  for (const node of nodes) {
    const { result } = node;
    if (result !== null) node.need = askedBefore(nodes, result.seq);
  }
  const position = begins ? 0 : nodes.length === 0 || nodes.at(-1)?.invocation === invocation ? nodes.length : -1;
  const log = new DurableLog({ taskId, branch, nodes, position });
  for (const node of stored?.entries ?? []) if (node.asked.kind === 'signal') log.signals.set(node.asked.key, node);
  return log;
}
