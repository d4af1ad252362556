import { LiveState } from '../../../model/task/live-state.ts';
import { reviewTask } from '../../conditions/review-task.ts';
import { wakeSleeper } from '../../conditions/begin-wait.ts';
import { wakeDurableSleeper } from '../../durable/wake-durable-sleeper.ts';
import { endReviewed } from '../../lifecycle/end-task.ts';
import { makeReady } from '../../queue/make-ready.ts';
import type { Plan } from '../../state/plan.ts';
import type { ShardState } from '../../state/shard-state.ts';
import { hasNoPayloads, makesNoRows, startsNoRuns, type Kind } from '../command-kind.ts';
import type { TaskRow } from '../../state/table/rows.ts';
import { meetTimeout } from '../../lifecycle/execution-timeout.ts';
import { giveUpWaiting } from '../../lifecycle/schedule-timeout.ts';

/** Until a long log is looked for again. */
const logUs = 100_000;
/** Bounds one transaction; the rest is due in the next. */
export const perTick = 500;

/** Time has come for the first deadlines. */
export interface TickCommand {
  kind: 'tick';
  /** Of what is due, so many at the most, the first first; by default as many as one transaction takes. */
  most?: number;
}

export const tick: Kind<TickCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: ({ most = perTick }, { state, nowUs }) => ({
    sleepers: state.deadlines
      .due(nowUs, most)
      .filter((row) => state.tasks.state[row] === LiveState.Evicted)
      .map((row) => state.tasks.id(row)),
  }),
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: ({ most = perTick }) => most,
  split: undefined,
  plan: pass,
};

/** What time has brought: back-offs and sleeps that are over, waits and executions that took too long. */
function pass(plan: Plan, { most = perTick }: TickCommand): void {
  const { deadlines, durable } = plan.state;
  announceDueBatches(plan);
  for (let n = 0; n < most && Math.min(durable.sleeps.nextUs, deadlines.nextUs) <= plan.nowUs; n++) {
    const { first } = deadlines;
    if (first === undefined || durable.sleeps.nextUs <= deadlines.nextUs) wakeDurableSleeper(plan);
    else meetDeadline(plan, first);
  }
}

/** The task whose turn is first in a tick, if anything is due. */
export function firstDue({ deadlines, durable, tasks }: ShardState, nowUs: number): string | undefined {
  const { sleeps } = durable;
  if (Math.min(sleeps.nextUs, deadlines.nextUs) > nowUs) return undefined;
  const row = sleeps.nextUs <= deadlines.nextUs ? (sleeps.first?.task.row ?? deadlines.first) : deadlines.first;
  return row === undefined ? undefined : tasks.id(row);
}

function meetDeadline(plan: Plan, row: TaskRow): void {
  const { state } = plan;
  const { tasks } = state;
  switch (tasks.state[row]) {
    case LiveState.Gated:
      wakeSleeper(plan, row);
      return endReviewed(plan, row, reviewTask(plan, row));
    case LiveState.Delayed:
      return makeReady(plan, row, 'head');
    case LiveState.Evicted:
      // Its log came with the tick, and the sleep has woken it: what is left here is one whose log is being read.
      return state.deadlines.set(row, plan.nowUs + logUs, state.undo);
    case LiveState.Ready:
    case LiveState.Batching:
    case LiveState.RateLimited:
      return giveUpWaiting(plan, row);
    case LiveState.Running:
      return isAway(plan, row) ? state.deadlines.hold(row, state.undo) : meetTimeout(plan, row);
    default:
      throw new Error(`task ${tasks.id(row)} has a deadline in state ${tasks.state[row]}`);
  }
}

/** No time passes for the tasks of a worker that is away, whether their deadlines stand still already or not. */
function isAway({ state }: Plan, row: TaskRow): boolean {
  return (state.workerOf(row)?.awaySinceUs ?? 0) > 0;
}

/** Whether and where they go is decided with the rest of the queue, at the end of the transaction. */
function announceDueBatches({ state, nowUs }: Plan): void {
  for (const queue of state.batches.takeDue(nowUs, state.undo)) state.unsettled.noteQueue(queue);
}
