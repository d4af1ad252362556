import {
  DurableKind,
  type DurableBranch,
  type DurableNode,
  type GetDurableLogResponse,
  type StreamDurableLogResponse,
} from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { parseStored } from '../project/json-value.ts';
import type { BranchRow, DurableLogRow, NodeKind, NodeRow } from './durable-log-row.ts';
import { statusName } from './status-number.ts';

export function durableLogRow(message: GetDurableLogResponse | StreamDurableLogResponse): DurableLogRow {
  return {
    taskId: message.taskId,
    task: message.name,
    nodes: message.nodes.map(nodeRow),
    branches: message.branches.map(branchRow),
    canSkip: message.canSkip,
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
