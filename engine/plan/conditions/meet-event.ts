import { CelVariables } from '../../cel/cel-variables.ts';
import { endReviewed } from '../lifecycle/end-task.ts';
import type { Plan } from '../state/plan.ts';
import { complain, holds, resolveCondition, reviewTask, type Evaluated } from './review-task.ts';

export interface MeetableEvent {
  tenantId: string;
  key: string;
  scope: string | null;
  /** JSON. */
  payload: string;
  /** Expressions that were evaluated before the plan. */
  evaluated: Evaluated;
}

/** Gives an event to the tasks that wait for one of its key. It meets each condition once. */
export function meetEvent(plan: Plan, event: MeetableEvent): void {
  const { state } = plan;
  const waiters = state.eventWaiters.of(event.tenantId, event.key);
  if (waiters.length === 0) return;
  const variables = new CelVariables({ input: event.payload });
  for (const row of waiters) {
    const { conditions } = state.stepOf(row).definition;
    for (const [index, condition] of conditions.entries()) {
      if (
        condition.kind !== 'event' ||
        condition.eventKey !== event.key ||
        (condition.scope !== null && condition.scope !== event.scope)
      )
        continue;
      if (state.waits.get(row)?.states[index] !== 'open') continue;
      const { met, why } = holds(condition.expression, variables, event.evaluated);
      if (met) resolveCondition(plan, row, index, { met: true, data: event.payload });
      else if (why !== undefined) complain(plan, row, index, why);
    }
    endReviewed(plan, row, reviewTask(plan, row));
  }
}
