import { LiveFlag } from '../../model/task/live-state.ts';
import { hasFlag, setFlag, type Plan } from '../state/plan.ts';
import type { TaskRow } from '../state/table/rows.ts';

/**
 * The log of a durable task has grown: deaths before count no longer. Only a task under which a worker has died pays for
 * it, with one write of its row a death. A flag, and not a zero: recovery tells by the count who had gone ahead in its queue.
 */
export function noteProgress(plan: Plan, row: TaskRow): void {
  if ((plan.state.tasks.deaths[row] ?? 0) > 0 && !hasFlag(plan, row, LiveFlag.Progressed))
    setFlag(plan, row, LiveFlag.Progressed);
}
