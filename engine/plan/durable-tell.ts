import { LiveState } from '../model/live-state.ts';
import type { DurableLog, DurableNode } from './durable-log.ts';
import type { Plan } from './plan.ts';

/** A node that the current batch satisfied, with what its worker is told, where that is at hand. */
export interface Fresh {
  node: DurableNode;
  told: { output: string | null; error: string | null } | null;
}

/**
 * Tells the invocation of results in the order in which they came about the first time. A result is held back until the
 * invocation has asked for its node and for every node that had been asked before it: so a replay's code takes the same
 * turns that it took then.
 */
export function tell(plan: Plan, row: number, log: DurableLog, fresh?: Fresh): void {
  const { state } = plan;
  if (state.tasks.state[row] !== LiveState.Running || log.position < 0 || log.muted) return;
  const before = { told: log.told, movedUs: log.movedUs };
  for (; log.told < log.satisfied.length; log.told++) {
    const node = log.satisfied[log.told];
    if (node === undefined || log.toldEarly.has(node.node)) continue;
    if (node.node > log.position || node.need > log.position) break;
    send(plan, row, node, fresh?.node === node ? fresh.told : null);
    log.movedUs = plan.nowUs;
  }
  if (log.told === before.told) return;
  state.undo.record(() => {
    log.told = before.told;
    log.movedUs = before.movedUs;
  });
}

export function send(plan: Plan, row: number, node: DurableNode, told: Fresh['told']): void {
  const { state, changes } = plan;
  const worker = state.workerOf(row);
  if (worker === undefined || node.result === null) return;
  changes.effects.push({
    kind: 'durableResult',
    workerId: worker.id,
    stream: state.durable.streams.get(worker.id) ?? 0,
    taskId: state.tasks.id(row),
    invocation: state.tasks.invocation[row] ?? 0,
    branch: node.branch,
    node: node.node,
    entry: node.kind,
    status: node.result.status,
    told,
  });
}

export function unmute(plan: Plan, log: DurableLog): void {
  if (!log.muted) return;
  log.muted = false;
  plan.state.undo.record(() => {
    log.muted = true;
  });
}
