import type { Plan } from '../state/plan.ts';
import type { Restore } from '../state/undo-log.ts';
import type { TimerHeap } from '../timers/timer-heap.ts';
import type { DueSleep } from './durable-index.ts';
import { conditionsOf } from './durable-log.ts';
import { meetCondition } from './satisfy-node.ts';

export const taken: Restore<TimerHeap<DueSleep>, DueSleep> = { restore: (sleeps, sleep) => sleeps.push(sleep) };

/** The first sleep of the logs in memory that is over. */
export function wakeDurableSleeper(plan: Plan): void {
  const { sleeps } = plan.state.durable;
  const [due] = sleeps.takeDue(plan.nowUs, 1);
  if (due === undefined) return;
  const condition = conditionsOf(due.node)[due.index];
  plan.state.undo.keep(taken, sleeps, due);
  if (condition?.kind === 'sleep')
    meetCondition(plan, due.task, {
      node: due.node,
      index: due.index,
      data: JSON.stringify({ sleep_duration: condition.duration }),
    });
}
