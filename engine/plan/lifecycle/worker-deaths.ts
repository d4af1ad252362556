import { LiveFlag } from '../../model/task/live-state.ts';
import { hasFlag, setFlag, touch, type Plan } from '../state/plan.ts';
import type { TaskRow } from '../state/rows.ts';

/** What a byte holds. */
const mostCounted = 255;

/**
 * The log of a durable task has grown: deaths before count no longer. Only a task under which a worker has died pays for
 * it, with one write of its row a death. A flag, and not a zero: recovery tells by the count who had gone ahead in its queue.
 */
export function noteProgress(plan: Plan, row: TaskRow): void {
  if ((plan.state.tasks.deaths[row] ?? 0) > 0 && !hasFlag(plan, row, LiveFlag.Progressed))
    setFlag(plan, row, LiveFlag.Progressed);
}

/** Counts the death of a worker under a task: over a plain task's generation, over a durable one's time since its log last grew. */
export function countDeath(plan: Plan, row: TaskRow): number {
  const { tasks, undo } = plan.state;
  const before = hasFlag(plan, row, LiveFlag.Progressed) ? 0 : (tasks.deaths[row] ?? 0);
  const deaths = Math.min(before + 1, mostCounted);
  touch(plan, row);
  tasks.write('deaths', row, deaths, undo);
  tasks.write('flags', row, (tasks.flags[row] ?? 0) & ~LiveFlag.Progressed, undo);
  return deaths;
}
