import { LiveState } from '../model/live-state.ts';
import { RunStatus } from '../model/status.ts';
import { formatDuration } from '../model/duration.ts';
import { endReviewed, endTask } from './end-task.ts';
import { wakeDurableSleepers } from './durable-messages.ts';
import { interrupt } from './interrupt.ts';
import { journal, touch, type Plan } from './plan.ts';
import { queueTask } from './queue-task.ts';
import { mayRetry } from './report.ts';
import { togetherWith } from './running-task.ts';
import { reviewTask, wakeSleeper } from './review-task.ts';
import { releaseRefilled } from './spend-units.ts';

/** Bounds one batch; the rest is due in the next. */
const perTick = 500;

/** What time has brought: back-offs that are over, waits and executions that took too long. */
export function planTick(plan: Plan): void {
  const { state } = plan;
  const { deadlines, tasks } = state;
  releaseRefilled(plan);
  announceDueBatches(plan);
  wakeDurableSleepers(plan, perTick);
  for (let n = 0; n < perTick && deadlines.nextUs <= plan.nowUs; n++) {
    const row = deadlines.first;
    switch (tasks.state[row]) {
      case LiveState.Gated:
        wakeSleeper(plan, row);
        endReviewed(plan, row, reviewTask(plan, row));
        break;
      case LiveState.Delayed:
        queueTask(plan, row, 'head');
        break;
      case LiveState.Evicted:
        // Its log came with the tick, and the sleep has woken it: what is left here is one that the loader had no room for.
        state.deadlines.set(row, plan.nowUs + 1, state.undo);
        break;
      case LiveState.Ready:
      case LiveState.Batching:
      case LiveState.RateLimited:
        giveUpWaiting(plan, row);
        break;
      case LiveState.Running:
        for (const member of togetherWith(plan, row)) timeOut(plan, member);
        break;
      default:
        throw new Error(`task ${tasks.id(row)} has a deadline in state ${tasks.state[row]}`);
    }
  }
}

function giveUpWaiting(plan: Plan, row: number): void {
  const { state } = plan;
  const step = state.stepOf(row);
  if (step.placement.workflow.paused) {
    // A pause is not a wait for a worker: the timeout starts afresh for as long as it lasts.
    state.deadlines.set(row, plan.nowUs + step.definition.scheduleTimeoutMs * 1000, state.undo);
    return touch(plan, row);
  }
  const limit = formatDuration(step.definition.scheduleTimeoutMs);
  journal(plan, row, 'H', `waited longer than its schedule timeout of ${limit}`);
  endTask(plan, row, { status: RunStatus.Cancelled, output: null, error: null });
}

function timeOut(plan: Plan, row: number): void {
  const limit = formatDuration(plan.state.stepOf(row).definition.executionTimeoutMs);
  const message = `ran longer than its execution timeout of ${limit}`;
  const again = mayRetry(plan, row);
  journal(plan, row, 'O', message);
  interrupt(plan, row);
  if (!again) endTask(plan, row, { status: RunStatus.Failed, output: null, error: JSON.stringify({ message }) });
}

/** Whether and where they go is decided with the rest of the queue, at the end of the batch. */
function announceDueBatches({ state, nowUs }: Plan): void {
  const due = state.batches.takeDue(nowUs);
  state.undo.record(due.undo);
  for (const queue of due.queues) state.hungry.add(queue);
}
