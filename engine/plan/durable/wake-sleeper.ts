import type { Plan } from '../state/plan.ts';
import { conditionsOf } from './durable-log.ts';
import { meetCondition } from './durable-satisfy.ts';

/** The first sleep of the logs in memory that is over. */
export function wakeDurableSleeper(plan: Plan): void {
  const { sleeps } = plan.state.durable;
  const [due] = sleeps.takeDue(plan.nowUs, 1);
  if (due === undefined) return;
  const condition = conditionsOf(due.node)[due.index];
  plan.state.undo.record(() => sleeps.push(due));
  if (condition?.kind === 'sleep')
    meetCondition(plan, due.row, due.log, {
      node: due.node,
      index: due.index,
      data: JSON.stringify({ sleep_duration: condition.duration }),
    });
}
