import {
  DurableKind,
  type DurableBranch,
  type DurableNode,
  type GetDurableLogResponse,
  type StreamDurableLogResponse,
} from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { parseStored } from '../project/json-value.ts';
import { statusName, type RunStatusName } from '../status-name.ts';

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

export function durableLogRow(message: GetDurableLogResponse | StreamDurableLogResponse): DurableLogRow {
  return {
    taskId: message.taskId,
    task: message.name,
    nodes: message.nodes.map(nodeRow),
    branches: message.branches.map(branchRow),
    canSkip: message.canSkip,
  };
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

const kinds: Readonly<Record<DurableKind, NodeKind>> = {
  [DurableKind.DURABLE_KIND_UNSPECIFIED]: 'WAIT',
  [DurableKind.DURABLE_KIND_WAIT]: 'WAIT',
  [DurableKind.DURABLE_KIND_CHILD]: 'CHILD',
  [DurableKind.DURABLE_KIND_MEMO]: 'MEMO',
  [DurableKind.DURABLE_KIND_SIGNAL]: 'SIGNAL',
};

function nodeRow(node: DurableNode): NodeRow {
  return {
    branch: node.branch,
    node: node.node,
    kind: kinds[node.kind],
    asked: node.asked,
    conditions: node.conditions.map(({ group, dataKey, sleep, dueAt, eventKey, scope, expression, since, met }) => ({
      group,
      dataKey,
      sleep: sleep ?? null,
      dueAt: iso(dueAt),
      eventKey: eventKey ?? null,
      scope: scope ?? null,
      expression,
      since: iso(since),
      met,
    })),
    label: node.label ?? null,
    key: node.key ?? null,
    child:
      node.childWorkflow === undefined
        ? null
        : {
            workflow: node.childWorkflow,
            key: node.childKey ?? null,
            input: node.childInput ?? '',
            runId: node.childRunId ?? null,
          },
    invocation: node.invocation,
    askedAt: iso(node.askedAt),
    satisfiedAt: iso(node.satisfiedAt),
    status: node.status === undefined ? null : statusName(node.status),
    output: node.outputCut ? (node.output ?? '') : parseStored(node.output),
    outputCut: node.outputCut,
    errorMessage: node.errorMessage ?? null,
  };
}

function branchRow({ branch, parent, firstNode, madeAt, continued }: DurableBranch): BranchRow {
  return { branch, parent, firstNode, madeAt: iso(madeAt), continued };
}

function iso(date: Date | undefined): string | null {
  return date === undefined ? null : date.toISOString();
}
