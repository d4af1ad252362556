import { EntryKind } from '../../model/durable/durable.ts';
import { LiveState } from '../../model/task/live-state.ts';
import type { DurableTask } from './durable-index.ts';
import type { DurableNode } from './durable-log.ts';
import type { Plan } from '../state/plan.ts';

/** A node that the current transaction satisfied, with what its worker is told, where that is at hand. */
export interface Fresh {
  node: DurableNode;
  told: { output: string | null; error: string | null } | null;
}

/**
 * Tells the invocation of results in the order in which they came about the first time. A result is held back until the
 * invocation has asked for its node and for every node that had been asked before it: so a replay's code takes the same
 * turns that it took then. A strict worker is told of a child only once it has said that it waits for it.
 */
export function tell(plan: Plan, task: DurableTask, fresh?: Fresh): void {
  const { state } = plan;
  const { row, log, delivery } = task;
  if (state.tasks.state[row] !== LiveState.Running || delivery.isLost || delivery.muted) return;
  let told = delivery.toldInOrder;
  for (; told < log.satisfied.length; told++) {
    const node = log.satisfied[told];
    if (node === undefined || delivery.toldOutOfOrder.has(node.node)) continue;
    if (!delivery.hasAsked(node) || node.need > delivery.position) break;
    if (isUnsaid(plan, task, node)) {
      if (!isLeftAlone(plan, task, node)) break;
      state.undo.add(delivery.passedOver, node.node);
      continue;
    }
    send(plan, task, node, fresh?.node === node ? fresh.told : null);
    state.undo.set(delivery, 'movedUs', plan.nowUs);
  }
  state.undo.set(delivery, 'toldInOrder', told);
}

/** Waits are waited for as soon as they are asked for, and a memo's result went with its answer: it is children that may be left alone. */
function isUnsaid({ state }: Plan, { row, delivery }: DurableTask, { kind, node }: DurableNode): boolean {
  return kind === EntryKind.Child && !delivery.said.has(node) && state.workerOf(row)?.isStrict === true;
}

/** A strict worker says what it waits for as soon as it is answered: what it has not said before a later node, it does not wait for. */
export function isLeftAlone(plan: Plan, task: DurableTask, node: DurableNode): boolean {
  return node.node < task.delivery.saidLast && isUnsaid(plan, task, node);
}

export function send(plan: Plan, { row, delivery }: DurableTask, node: DurableNode, told: Fresh['told']): void {
  const { state, changes } = plan;
  const worker = state.workerOf(row);
  if (worker === undefined || node.result === null) return;
  if (worker.isStrict || worker.forgetsResults) state.undo.put(delivery.toldUs, node.node, plan.nowUs);
  changes.effects.push({
    kind: 'durableResult',
    workerId: worker.id,
    stream: worker.durableStream,
    taskId: state.tasks.id(row),
    invocation: state.tasks.invocation[row] ?? 0,
    branch: node.branch,
    node: node.node,
    entry: node.kind,
    status: node.result.status,
    told,
  });
}
