import type { DurableCondition } from '../../model/durable/durable.ts';
import { conditionsOf, type DurableLog, type DurableNode } from './durable-log.ts';

/** When a sleep of the node is over; sleeps count from when they were first asked for. */
export function sleepDueUs(node: DurableNode, condition: DurableCondition): number {
  return condition.kind === 'sleep' ? node.askedUs + condition.ms * 1000 : Infinity;
}

/** When the first sleep of the log is over, which wakes an evicted task. 0 where no sleep is open. */
export function firstSleepUs(log: DurableLog): number {
  let first = Infinity;
  for (const node of log.openWaits()) {
    for (const [index, condition] of conditionsOf(node).entries())
      if ((node.met[index] ?? null) === null) first = Math.min(first, sleepDueUs(node, condition));
  }
  return first === Infinity ? 0 : first;
}
