import { LiveFlag } from '../../model/task/live-state.ts';
import type { PlannerWorker } from '../queue/planner-worker.ts';
import { hasFlag, journal, setFlag, touch, type Plan } from '../state/plan.ts';
import type { TaskRow } from '../state/table/rows.ts';
import type { WorkerDeath } from '../state/tenant-work.ts';

/** What a byte holds. */
const mostCounted = 255;

/** Counts the death of a worker under a task: over a plain task's generation, over a durable one's time since its log last grew. */
function countDeath(plan: Plan, row: TaskRow): number {
  const { tasks, undo } = plan.state;
  const before = hasFlag(plan, row, LiveFlag.Progressed) ? 0 : (tasks.deaths[row] ?? 0);
  const deaths = Math.min(before + 1, mostCounted);
  touch(plan, row);
  tasks.write('deaths', row, deaths, undo);
  tasks.write('flags', row, (tasks.flags[row] ?? 0) & ~LiveFlag.Progressed, undo);
  return deaths;
}

/** The task outlives its worker, at no cost of retries, unless too many have died under it. @returns why it is given up, if it is */
export function outliveWorker(
  plan: Plan,
  row: TaskRow,
  { worker, death }: { worker: PlannerWorker; death: WorkerDeath },
): string | undefined {
  const deaths = countDeath(plan, row);
  journal(plan, row, 'REASSIGNED', `worker ${worker.name} died (${death.how})`);
  if (deaths < death.mostDeaths) return undefined;
  const since = plan.state.stepOf(row).definition.durable ? ' since its log last grew' : '';
  return `its worker died (${death.how}); ${deaths === 1 ? 'one worker has' : `${deaths} workers have`} died under this task${since}`;
}

/**
 * The log of a durable task has grown: deaths before count no longer. Only a task under which a worker has died pays for
 * it, with one write of its row a death. A flag, and not a zero: recovery tells by the count who had gone ahead in its queue.
 */
export function noteLogGrowth(plan: Plan, row: TaskRow): void {
  if ((plan.state.tasks.deaths[row] ?? 0) > 0 && !hasFlag(plan, row, LiveFlag.Progressed))
    setFlag(plan, row, LiveFlag.Progressed);
}
