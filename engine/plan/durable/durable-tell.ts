import { EntryKind } from '../../model/durable/durable.ts';
import { LiveState } from '../../model/task/live-state.ts';
import type { DurableLog, DurableNode } from './durable-log.ts';
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
export function tell(plan: Plan, row: number, log: DurableLog, fresh?: Fresh): void {
  const { state } = plan;
  if (state.tasks.state[row] !== LiveState.Running || log.position < 0 || log.muted) return;
  const before = { told: log.told, movedUs: log.movedUs };
  for (; log.told < log.satisfied.length; log.told++) {
    const node = log.satisfied[log.told];
    if (node === undefined || log.toldEarly.has(node.node)) continue;
    if (node.node > log.position || node.need > log.position) break;
    if (isUnsaid(plan, row, log, node)) {
      if (!isLeftAlone(plan, row, log, node)) break;
      passOver(plan, log, node);
      continue;
    }
    send(plan, row, log, node, fresh?.node === node ? fresh.told : null);
    log.movedUs = plan.nowUs;
  }
  if (log.told === before.told) return;
  state.undo.record(() => {
    log.told = before.told;
    log.movedUs = before.movedUs;
  });
}

/** Waits are waited for as soon as they are asked for, and a memo's result went with its answer: it is children that may be left alone. */
function isUnsaid({ state }: Plan, row: number, log: DurableLog, { kind, node }: DurableNode): boolean {
  return kind === EntryKind.Child && !log.said.has(node) && state.workerOf(row)?.isStrict === true;
}

/** A strict worker says what it waits for as soon as it is answered: what it has not said before a later node, it does not wait for. */
export function isLeftAlone(plan: Plan, row: number, log: DurableLog, node: DurableNode): boolean {
  return node.node < log.saidLast && isUnsaid(plan, row, log, node);
}

function passOver({ state }: Plan, log: DurableLog, { node }: DurableNode): void {
  log.passedOver.add(node);
  state.undo.record(() => log.passedOver.delete(node));
}

export function send(plan: Plan, row: number, log: DurableLog, node: DurableNode, told: Fresh['told']): void {
  const { state, changes } = plan;
  const worker = state.workerOf(row);
  if (worker === undefined || node.result === null) return;
  if (worker.isStrict || worker.forgetsResults) noteTold(plan, log, node);
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

function noteTold({ state, nowUs }: Plan, log: DurableLog, { node }: DurableNode): void {
  const before = log.toldUs.get(node);
  log.toldUs.set(node, nowUs);
  state.undo.record(() => {
    if (before === undefined) log.toldUs.delete(node);
    else log.toldUs.set(node, before);
  });
}

export function unmute(plan: Plan, log: DurableLog): void {
  if (!log.muted) return;
  log.muted = false;
  plan.state.undo.record(() => {
    log.muted = true;
  });
}
