import { jsonText } from '../../output/plain-text.ts';
import { msText } from '../../output/time-text.ts';
import type { BranchRow, ConditionRow, DurableLogRow, NodeKind, NodeRow } from '../durable-log-row.ts';
import type { ConditionShape, LogEntryShape } from './rest-shapes.ts';
import { timeOf } from './stored-values.ts';

const kinds: Readonly<Record<LogEntryShape['kind'], NodeKind>> = { WAIT_FOR: 'WAIT', RUN: 'CHILD', MEMO: 'MEMO' };
const firstBranch = 1;

/** What REST tells of a durable task's log: what was asked and when it was satisfied, not by what. */
export function durableLogOf(taskId: string, task: string, entries: readonly LogEntryShape[]): DurableLogRow {
  const nodes = entries.map(nodeRow).sort((a, b) => a.branch - b.branch || a.node - b.node);
  return { taskId, task, nodes, branches: branchesOf(nodes), canSkip: false };
}

function nodeRow(entry: LogEntryShape): NodeRow {
  const { waitData = [] } = entry;
  const conditions = waitData.flatMap((item, group) =>
    (item.or ?? [item]).map((each) => conditionRow(each, group, entry)),
  );
  const child = waitData.find((item) => item.kind === 'CHILD_WORKFLOW')?.workflowName;
  return {
    branch: entry.branchId,
    node: entry.nodeId,
    kind: kinds[entry.kind],
    asked: askedText(entry),
    conditions: entry.kind === 'WAIT_FOR' ? conditions : [],
    label: entry.userMessage ?? null,
    key: null,
    child: child === undefined ? null : { workflow: child, key: null, input: '', runId: null },
    invocation: null,
    askedAt: timeOf(entry.insertedAt),
    satisfiedAt: entry.isSatisfied ? (timeOf(entry.satisfiedAt) ?? timeOf(entry.insertedAt)) : null,
    status: entry.isSatisfied ? 'COMPLETED' : null,
    output: undefined,
    outputCut: false,
    errorMessage: null,
  };
}

function askedText({ kind, waitData = [] }: LogEntryShape): string {
  if (kind === 'MEMO') return 'memo';
  const groups = waitData.map((item) => (item.or ?? [item]).map(conditionText).join(' or '));
  const text = groups.join(', and ');
  return kind === 'RUN' ? `run ${text === '' ? 'a child' : text}` : text === '' ? 'wait' : text;
}

function conditionText({ kind, sleepDurationMs, eventKey, workflowName }: ConditionShape): string {
  if (kind === 'SLEEP') return `sleep ${msText(sleepDurationMs ?? 0)}`;
  return kind === 'USER_EVENT' ? `event ${jsonText(eventKey ?? '')}` : (workflowName ?? 'a child');
}

function conditionRow(
  { kind, sleepDurationMs, eventKey }: ConditionShape,
  group: number,
  { insertedAt, isSatisfied }: LogEntryShape,
): ConditionRow {
  const isSleep = kind === 'SLEEP';
  return {
    group,
    dataKey: '',
    sleep: isSleep ? msText(sleepDurationMs ?? 0) : null,
    dueAt: isSleep && !isSatisfied ? new Date(Date.parse(insertedAt) + (sleepDurationMs ?? 0)).toISOString() : null,
    eventKey: eventKey ?? null,
    scope: null,
    expression: '',
    since: timeOf(insertedAt),
    met: false,
  };
}

/** From which branch another leaves is not told: from the one before it that has nodes before its first. */
function branchesOf(nodes: readonly NodeRow[]): BranchRow[] {
  const firsts = new Map<number, NodeRow>();
  for (const node of nodes) if (!firsts.has(node.branch)) firsts.set(node.branch, node);
  const numbers = [...firsts.keys()].sort((a, b) => a - b);
  return numbers.flatMap((branch) => {
    const first = firsts.get(branch);
    if (branch <= firstBranch || first === undefined) return [];
    const parent =
      numbers.findLast((each) => each < branch && (firsts.get(each)?.node ?? Infinity) < first.node) ?? firstBranch;
    return [{ branch, parent, firstNode: first.node, madeAt: first.askedAt, continued: false }];
  });
}
