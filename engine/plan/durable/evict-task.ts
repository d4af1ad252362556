import { lastingFlags, LiveState } from '../../model/task/live-state.ts';
import { EntryKind } from '../../model/durable/durable.ts';
import type { InvocationProgress } from './invocation-progress.ts';
import type { DurableTask } from './durable-index.ts';
import type { DurableNode } from './durable-log.ts';
import { firstSleepUs } from './durable-sleep.ts';
import { isLeftAlone } from './tell-results-in-order.ts';
import { journal, leaveWorker, moveTo, type Plan } from '../state/plan.ts';

/** A durable task leaves its worker: no slot, no timeout. Its places stay taken; its first sleep wakes it. */
export function evict(plan: Plan, { row, log }: DurableTask, reason: string): void {
  const { state } = plan;
  journal(plan, row, 'DURABLE_EVICTED', reason);
  moveTo(plan, row, LiveState.Evicted);
  leaveWorker(plan, row);
  state.tasks.write('flags', row, (state.tasks.flags[row] ?? 0) & lastingFlags, state.undo);
  state.deadlines.set(row, firstSleepUs(log), state.undo);
}

/** What was told this long ago has arrived, though the worker has not listed since what it waits for. */
const arrivedUs = 2_000_000;

/**
 * Whether an invocation that leaves would miss its wake-up: something that it waits for is there already, or nothing is
 * open that could ever wake it.
 */
export function mustGoOn(plan: Plan, task: DurableTask): boolean {
  const { log, delivery } = task;
  if (delivery.isLost) return true;
  let open = false;
  for (const node of log.nodes) {
    if (node.kind === EntryKind.Memo || !delivery.hasAsked(node)) continue;
    if (delivery.awaited !== null && !delivery.awaited.has(node.node) && !isCarried(plan, delivery, node)) continue;
    if (isLeftAlone(plan, task, node)) continue;
    if (node.result !== null) return true;
    open = true;
  }
  return !open;
}

function isCarried({ nowUs }: Plan, { carried, toldUs }: InvocationProgress, { node }: DurableNode): boolean {
  return carried.has(node) && nowUs - (toldUs.get(node) ?? nowUs) < arrivedUs;
}
