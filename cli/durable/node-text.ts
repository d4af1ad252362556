import type { BranchRow, NodeRow } from '../monitor/durable-log-row.ts';
import type { RunStatusName } from '../status-name.ts';
import { spanText, untilText } from '../output/time-text.ts';
import { isRecord } from '../project/json-value.ts';
import { jsonText } from '../output/plain-text.ts';

/** As statuses elsewhere; what is open has a sign of its own. */
export const nodeMarks: Readonly<Partial<Record<RunStatusName, string>>> = {
  COMPLETED: '✓',
  FAILED: '✗',
  CANCELLED: '⊘',
};
const openMark = '…';

export function nodeMark(node: NodeRow): string {
  return (node.status === null ? undefined : nodeMarks[node.status]) ?? openMark;
}

/** `3 ✓ sleep 1h`. */
export function nodeTitle(node: NodeRow): string {
  const label = node.label === null || node.label === '' ? '' : `${node.label}: `;
  return `${node.node} ${nodeMark(node)} ${label}${node.asked}`;
}

/** How long it took, or how long it waits by now and until when a sleep of it lasts. */
export function nodeWait(node: NodeRow, nowMs = Date.now()): string {
  if (node.satisfiedAt !== null) return spanText(node.askedAt, node.satisfiedAt, nowMs);
  const [due] = node.conditions
    .flatMap(({ dueAt, met }) => (dueAt === null || met ? [] : [dueAt]))
    .sort((a, b) => Date.parse(a) - Date.parse(b));
  return `waits ${spanText(node.askedAt, null, nowMs)}${due === undefined ? '' : `, ends ${untilText(due, nowMs)}`}`;
}

/** What came of it, on one line; empty where the wait says it all. */
export function nodeResult(node: NodeRow): string {
  if (node.satisfiedAt === null) {
    const met = node.conditions.filter((condition) => condition.met);
    return met.length === 0
      ? ''
      : `has ${met.map(({ sleep, eventKey }) => (sleep === null ? `event ${jsonText(eventKey)}` : `sleep ${sleep}`)).join(', ')}`;
  }
  if (node.errorMessage !== null) return node.errorMessage;
  if (node.status === 'CANCELLED') return 'cancelled';
  if (node.outputCut) return `${String(node.output)}…`;
  if (node.output === undefined) return '';
  if (node.kind !== 'WAIT' && node.kind !== 'SIGNAL') return jsonText(node.output ?? null);
  return waitResult(node);
}

/** Of a wait's data by key, what is news: of one sleep alone, nothing. */
function waitResult(node: NodeRow): string {
  const { output } = node;
  if (node.conditions.length === 1 && node.conditions[0]?.sleep !== null) return '';
  const byKey = isRecord(output) && isRecord(output['CREATE']) ? output['CREATE'] : output;
  if (!isRecord(byKey)) return jsonText(byKey ?? null);
  const entries = Object.entries(byKey).map(
    ([key, value]) => [key, Array.isArray(value) && value.length === 1 ? value[0] : value] as const,
  );
  const [only] = entries;
  return jsonText(
    node.conditions.length === 1 && only !== undefined && entries.length === 1 ? only[1] : Object.fromEntries(entries),
  );
}

/** `branch 2, from node 3 of branch 1`, or `branch 2, continued as new after branch 1`. */
export function branchTitle({ branch, parent, firstNode, continued }: BranchRow): string {
  if (continued) return `branch ${branch}, continued as new after branch ${parent}`;
  return `branch ${branch}, from node ${firstNode} of branch ${parent}`;
}
