import {
  DurableKind,
  type DurableBranch,
  type DurableCondition,
  type DurableNode,
} from '../../../proto/gen/hatchet/monitor/v1/monitor.ts';
import {
  describeAsked,
  EntryKind,
  type Asked,
  type DurableCondition as Condition,
} from '../../model/durable/durable.ts';
import { splitError } from '../../model/payload/split-error.ts';
import type { LogEntry } from '../../monitor/durable/durable-log-reads.ts';
import { statusMessage } from '../monitor-messages.ts';

const kinds = {
  [EntryKind.Branch]: DurableKind.DURABLE_KIND_UNSPECIFIED,
  [EntryKind.Wait]: DurableKind.DURABLE_KIND_WAIT,
  [EntryKind.Child]: DurableKind.DURABLE_KIND_CHILD,
  [EntryKind.Memo]: DurableKind.DURABLE_KIND_MEMO,
  [EntryKind.Signal]: DurableKind.DURABLE_KIND_SIGNAL,
} as const;

/** Entries of a log as the wire has them: nodes, and where branches leave each other. @param outputChars of each output */
export function logMessages(
  entries: readonly LogEntry[],
  outputChars: number,
): { nodes: DurableNode[]; branches: DurableBranch[] } {
  const nodes: DurableNode[] = [];
  const branches: DurableBranch[] = [];
  for (const entry of entries) {
    const { asked } = entry;
    if (asked.kind === 'branch')
      branches.push({
        branch: entry.branch,
        parent: asked.parent,
        firstNode: asked.first,
        madeAt: new Date(entry.askedUs / 1000),
        continued: asked.hasInput === true,
      });
    else nodes.push(nodeMessage(entry, outputChars));
  }
  return { nodes, branches };
}

function nodeMessage(entry: LogEntry, outputChars: number): DurableNode {
  const { asked, result } = entry;
  const output = result?.output ?? undefined;
  return {
    branch: entry.branch,
    node: entry.node,
    kind: kinds[entry.kind],
    asked: describeAsked(asked),
    conditions: conditionMessages(entry),
    label: asked.kind === 'wait' ? (asked.label ?? undefined) : undefined,
    key: asked.kind === 'memo' || asked.kind === 'signal' ? asked.key : undefined,
    ...childFields(asked),
    childRunId: entry.childRunId ?? undefined,
    invocation: entry.invocation,
    askedAt: new Date(entry.askedUs / 1000),
    satisfiedAt: entry.satisfiedUs === null ? undefined : new Date(entry.satisfiedUs / 1000),
    status: entry.status === null ? undefined : statusMessage(entry.status),
    output: output?.slice(0, outputChars),
    outputCut: output !== undefined && output.length > outputChars,
    errorMessage: result?.error === null || result?.error === undefined ? undefined : splitError(result.error).message,
  };
}

function childFields(asked: Asked): { childWorkflow?: string; childKey?: string; childInput?: string } {
  if (asked.kind !== 'child') return {};
  return {
    childWorkflow: asked.workflow,
    ...(asked.child === '' ? {} : { childKey: asked.child }),
    childInput: asked.input,
  };
}

function conditionMessages({ asked, askedUs, met }: LogEntry): DurableCondition[] {
  if (asked.kind !== 'wait' && asked.kind !== 'signal') return [];
  return asked.conditions.map((condition, index) => conditionMessage(condition, { askedUs, met: met.includes(index) }));
}

function conditionMessage(condition: Condition, { askedUs, met }: { askedUs: number; met: boolean }): DurableCondition {
  const { group, dataKey } = condition;
  if (condition.kind === 'sleep')
    return {
      group,
      dataKey,
      met,
      expression: '',
      sleep: condition.duration,
      dueAt: new Date(askedUs / 1000 + condition.ms),
    };
  const { eventKey, scope, expression, sinceMs } = condition;
  return {
    group,
    dataKey,
    met,
    expression,
    eventKey,
    scope: scope ?? undefined,
    since: sinceMs === null ? undefined : new Date(sinceMs),
  };
}
