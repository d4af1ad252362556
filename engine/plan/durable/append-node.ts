import { guardOf } from '../../cel/equality-guard.ts';
import { storedAsked, type Asked, type EntryKind } from '../../model/durable/durable.ts';
import { noteLogGrowth } from '../lifecycle/worker-deaths.ts';
import type { Plan } from '../state/plan.ts';
import type { Restore } from '../state/undo-log.ts';
import type { DurableIndex, DurableTask } from './durable-index.ts';
import { conditionsOf, type DurableLog, type DurableNode } from './durable-log.ts';

/** A replayed operation. */
export function pass(plan: Plan, task: DurableTask, node: DurableNode): void {
  task.delivery.advance(node, plan.nowUs, plan.state.undo);
  if (node.result === null) listen(plan, task, { node, seq: plan.state.nextSeq(plan.nowUs) });
}

function listen(plan: Plan, { tenantId, log }: DurableTask, { node, seq }: { node: DurableNode; seq: number }): void {
  const conditions = conditionsOf(node);
  if (conditions.length === 0) return;
  for (const [index, condition] of conditions.entries()) {
    if (condition.kind !== 'event') continue;
    const { eventKey, scope, expression } = condition;
    plan.changes.durableListens.push({
      taskId: log.taskId,
      branch: node.branch,
      node: node.node,
      condition: index,
      tenantId,
      eventKey,
      scope: scope ?? '',
      guard: guardOf(expression),
      expression,
      seq,
    });
  }
}

/** A new operation is written down, and starts to wait. */
export function append(
  plan: Plan,
  task: DurableTask,
  wanted: { kind: EntryKind; fingerprint: string; asked: Asked; childRunId: string | null },
): DurableNode {
  const { state, changes } = plan;
  const { durable, undo } = state;
  const { row, log, delivery } = task;
  const askedSeq = state.nextSeq(plan.nowUs);
  const isSignal = wanted.asked.kind === 'signal';
  const node: DurableNode = {
    branch: isSignal ? 0 : log.branch,
    node: isSignal ? log.signals.size + 1 : log.nodes.length + 1,
    kind: wanted.kind,
    fingerprint: wanted.fingerprint,
    asked: wanted.asked,
    childRunId: wanted.childRunId,
    askedSeq,
    askedUs: state.timeOf(askedSeq, plan.nowUs),
    invocation: state.tasks.invocation[row] ?? 0,
    met: [],
    result: null,
    need: 0,
  };
  if (wanted.asked.kind === 'signal') {
    undo.put(log.signals, wanted.asked.key, node);
  } else {
    log.add(node);
    undo.keep(added, log, undefined);
    delivery.advance(node, plan.nowUs, undo);
  }
  durable.watch(task, node);
  undo.keep(watched, durable, task, node);
  noteLogGrowth(plan, row);
  changes.durableEntries.push({
    taskId: log.taskId,
    branch: node.branch,
    node: node.node,
    kind: node.kind,
    fingerprint: node.fingerprint,
    asked: storedAsked(node),
    invocation: node.invocation,
    seq: node.askedSeq,
    childRunId: node.childRunId,
  });
  listen(plan, task, { node, seq: askedSeq });
  return node;
}

const added: Restore<DurableLog> = { restore: (log) => log.removeLast() };
const watched: Restore<DurableIndex, DurableTask, DurableNode> = {
  restore: (durable, task, node) => durable.ignore(task, node),
};
