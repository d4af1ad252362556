import type { BranchRow, ConditionRow, DurableLogRow, NodeRow } from '../../../../cli/monitor/durable-log-row.ts';

const startMs = Date.parse('2030-01-01T00:00:00Z');

function at(ms: number): string {
  return new Date(startMs + ms).toISOString();
}

export const nowMs = startMs + 60_000;

export function makeNode(branch: number, node: number, change: Partial<NodeRow> = {}): NodeRow {
  return {
    branch,
    node,
    kind: 'MEMO',
    asked: `memo ${branch}${node}`,
    conditions: [],
    label: null,
    key: null,
    child: null,
    invocation: branch,
    askedAt: at(node * 1000),
    satisfiedAt: at(node * 1000 + 500),
    status: 'COMPLETED',
    output: { n: node },
    outputCut: false,
    errorMessage: null,
    ...change,
  };
}

export const open = { satisfiedAt: null, status: null, output: null } as const;

export function sleepOf(duration: string, ms: number, askedMs: number): ConditionRow {
  return {
    group: 0,
    dataKey: 'sleep',
    sleep: duration,
    dueAt: at(askedMs + ms),
    eventKey: null,
    scope: null,
    expression: '',
    since: null,
    met: false,
  };
}

export function eventOf(key: string): ConditionRow {
  return {
    group: 0,
    dataKey: 'event',
    sleep: null,
    dueAt: null,
    eventKey: key,
    scope: null,
    expression: '',
    since: null,
    met: false,
  };
}

export function makeBranch(branch: number, parent: number, firstNode: number): BranchRow {
  return { branch, parent, firstNode, madeAt: at(30_000), continued: false };
}

export function makeLog(nodes: readonly NodeRow[], branches: readonly BranchRow[] = []): DurableLogRow {
  return { taskId: 'task-only', task: 'only', nodes, branches, canSkip: true };
}
