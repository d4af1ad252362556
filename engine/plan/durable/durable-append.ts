import { guardOf } from '../../cel/equality-guard.ts';
import { EntryKind, storedAsked, type Asked } from '../../model/durable/durable.ts';
import { noteProgress } from '../lifecycle/worker-deaths.ts';
import type { Plan } from '../state/plan.ts';
import { conditionsOf, type DurableLog, type DurableNode } from './durable-log.ts';

/** A replayed operation. */
export function pass(plan: Plan, row: number, log: DurableLog, node: DurableNode): void {
  moveOn(plan, log, node);
  if (node.result !== null) return;
  const { tenantId } = plan.state.stepOf(row).version;
  listen(plan, tenantId, log, node);
}

function listen(plan: Plan, tenantId: string, { taskId }: DurableLog, node: DurableNode): void {
  for (const [index, condition] of conditionsOf(node).entries()) {
    if (condition.kind !== 'event') continue;
    const { eventKey, scope, expression } = condition;
    plan.changes.durableListens.push({
      taskId,
      branch: node.branch,
      node: node.node,
      condition: index,
      tenantId,
      eventKey,
      scope: scope ?? '',
      guard: guardOf(expression),
      expression,
    });
  }
}

function moveOn(plan: Plan, log: DurableLog, node: DurableNode): void {
  const before = { position: log.position, movedUs: log.movedUs };
  log.position = node.node;
  log.movedUs = plan.nowUs;
  const awaits = node.kind !== EntryKind.Memo && log.awaited !== null && !log.awaited.has(node.node);
  if (awaits) log.awaited?.add(node.node);
  plan.state.undo.record(() => {
    Object.assign(log, before);
    if (awaits) log.awaited?.delete(node.node);
  });
}

/** A new operation is written down, and starts to wait. */
export function append(
  plan: Plan,
  row: number,
  log: DurableLog,
  wanted: { kind: EntryKind; fingerprint: string; asked: Asked; childRunId: string | null },
): DurableNode {
  const { state, changes } = plan;
  const askedSeq = state.nextSeq(plan.nowUs);
  const isSignal = wanted.asked.kind === 'signal';
  const node: DurableNode = {
    branch: isSignal ? 0 : log.branch,
    node: isSignal ? log.signals.size + 1 : log.nodes.length + 1,
    ...wanted,
    askedSeq,
    askedUs: state.timeOf(askedSeq, plan.nowUs),
    invocation: state.tasks.invocation[row] ?? 0,
    met: [],
    result: null,
    need: 0,
  };
  const { tenantId } = state.stepOf(row).version;
  if (wanted.asked.kind === 'signal') {
    const { key } = wanted.asked;
    log.signals.set(key, node);
    state.undo.record(() => log.signals.delete(key));
  } else {
    log.add(node);
    state.undo.record(() => log.removeLast());
    moveOn(plan, log, node);
  }
  state.durable.watch(row, tenantId, log, node);
  state.undo.record(() => state.durable.ignore(row, tenantId, node));
  noteProgress(plan, row);
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
  listen(plan, tenantId, log, node);
  return node;
}
