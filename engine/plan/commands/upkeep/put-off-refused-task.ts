import type { Plan } from '../../state/plan.ts';
import { hasNoPayloads, makesNoRows, needsNothing, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import { taken } from '../../durable/wake-durable-sleeper.ts';

/** What is due for a task waits longer, in memory alone: Postgres refuses what would come of it. */
export interface PutOffCommand {
  kind: 'putOff';
  taskId: string;
  untilUs: number;
}

export const putOff: Kind<PutOffCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: weighsOne,
  split: undefined,
  plan: putOffTask,
};

/** An undo may leave the moved sleep beside the old one: the later of the two finds its condition met. */
function putOffTask(plan: Plan, { taskId, untilUs }: PutOffCommand): void {
  const { deadlines, durable, tasks, undo } = plan.state;
  const row = tasks.find(taskId);
  if (row === undefined) return;
  const dueUs = deadlines.dueUs(row);
  if (dueUs > 0 && dueUs <= plan.nowUs) deadlines.set(row, untilUs, undo);
  const due = durable.sleeps.takeDue(plan.nowUs, Infinity);
  for (const sleep of due) {
    const isOwn = sleep.task.row === row;
    if (isOwn) undo.keep(taken, durable.sleeps, sleep);
    durable.sleeps.push(isOwn ? { ...sleep, dueUs: untilUs } : sleep);
  }
}
