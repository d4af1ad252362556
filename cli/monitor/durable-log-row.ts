import type { RunStatusName } from '../status-name.ts';

/** Dates are ISO 8601 in UTC. These shapes are what `-o json` prints. */
export interface ConditionRow {
  /** Alternatives share a group; of each group one is needed. */
  group: number;
  dataKey: string;
  sleep: string | null;
  dueAt: string | null;
  eventKey: string | null;
  scope: string | null;
  expression: string;
  since: string | null;
  /** Met, while others of the wait are not. */
  met: boolean;
}

export type NodeKind = 'WAIT' | 'CHILD' | 'MEMO' | 'SIGNAL';

export interface NodeRow {
  branch: number;
  node: number;
  kind: NodeKind;
  /** In a few words. */
  asked: string;
  conditions: readonly ConditionRow[];
  label: string | null;
  key: string | null;
  child: { workflow: string; key: string | null; input: string; runId: string | null } | null;
  /** The invocation that asked first, and when. Null where the engine does not tell it. */
  invocation: number | null;
  askedAt: string | null;
  /** Null while it is open. */
  satisfiedAt: string | null;
  status: RunStatusName | null;
  /** The start of its text, where it was cut; undefined where the engine does not tell it. */
  output: unknown;
  outputCut: boolean;
  errorMessage: string | null;
}

/** Where a branch leaves another: nodes before `firstNode` are the parent's. */
export interface BranchRow {
  branch: number;
  parent: number;
  firstNode: number;
  madeAt: string | null;
  /** The task continued as new. */
  continued: boolean;
}

/** The log of one durable task. Branch 1 is always there, and has no row. */
export interface DurableLogRow {
  taskId: string;
  task: string;
  nodes: readonly NodeRow[];
  branches: readonly BranchRow[];
  /** Whether sleeps may be ended early on this engine. */
  canSkip: boolean;
}

/** A log with what came later; nodes are replaced by their newer state. */
export function mergeLog(log: DurableLogRow | undefined, later: DurableLogRow): DurableLogRow {
  if (log === undefined) return later;
  const nodes = new Map([...log.nodes, ...later.nodes].map((node) => [`${node.branch} ${node.node}`, node]));
  const branches = new Map([...log.branches, ...later.branches].map((branch) => [branch.branch, branch]));
  return {
    ...later,
    nodes: [...nodes.values()].sort((a, b) => a.branch - b.branch || a.node - b.node),
    branches: [...branches.values()].sort((a, b) => a.branch - b.branch),
  };
}
