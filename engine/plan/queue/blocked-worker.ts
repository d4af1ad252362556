import { LiveFlag, LiveState } from '../../model/task/live-state.ts';
import { hasFlag, type Plan } from '../state/plan.ts';
import type { PlannerWorker } from './planner-worker.ts';
import type { TaskRow } from '../state/table/rows.ts';

/** Workers that may leave a task unanswered before it stays where it is: one that blocks whoever starts it must not block them all. */
const maxUnanswered = 3;

/** The worker has left a task unanswered, so it is taken for blocked: it takes nothing until it answers. */
export function noteBlocked({ state }: Plan, worker: PlannerWorker): void {
  state.undo.set(worker, 'isBlocked', true);
}

/** The worker has said something of a task, or has connected anew. */
export function hear({ state }: Plan, worker: PlannerWorker | undefined): void {
  if (worker?.isBlocked !== true) return;
  state.undo.set(worker, 'isBlocked', false);
  state.unsettled.noteRoom(worker);
}

/**
 * Which of a worker's tasks stay with it although it has not said that it has them. Those that enough workers have left
 * unanswered; and with an SDK that begins tasks unsaid, the first that was sent to it, with its batch, unless it runs
 * another: that one is what blocks it, by all that is known.
 */
export function stayingWith(plan: Plan, worker: PlannerWorker): (row: TaskRow) => boolean {
  const { tasks, batches } = plan.state;
  const first = worker.beginsUnsaid ? unsaid(plan, worker) : undefined;
  const batch = first === undefined ? undefined : batches.ofRow.get(first);
  return (row) =>
    (tasks.unanswered[row] ?? 0) >= maxUnanswered ||
    row === first ||
    (batch !== undefined && batches.ofRow.get(row) === batch);
}

/** The first task on a worker that runs none that it has told of. */
function unsaid(plan: Plan, worker: PlannerWorker): TaskRow | undefined {
  let first: TaskRow | undefined;
  for (const row of worker.tasks) {
    if (plan.state.tasks.state[row] !== LiveState.Running) continue;
    if (hasFlag(plan, row, LiveFlag.Started)) return undefined;
    first ??= row;
  }
  return first;
}
