import { LiveState } from '../model/live-state.ts';
import { rankOf, retryRank } from './action-queue.ts';
import { journal, moveTo, touch, type Plan } from './plan.ts';

/** Puts a task in its action's queue; it counts against the schedule timeout from now on. */
export function queueTask(plan: Plan, row: number, place: 'tail' | 'head'): void {
  const { state, nowUs } = plan;
  const { tasks, undo } = state;
  const step = state.stepOf(row);
  if (tasks.state[row] === LiveState.Ready) touch(plan, row);
  else moveTo(plan, row, LiveState.Ready);
  tasks.write('flags', row, 0, undo);
  journal(plan, row, 'Q');
  tasks.write('seq', row, state.nextSeq(nowUs), undo);
  state.deadlines.set(row, nowUs + step.definition.scheduleTimeoutMs * 1000, undo);
  // A retry stays ahead over a restart too: recovery ranks by attempt.
  step.queue.push(row, place === 'head' ? retryRank : rankOf(tasks.priority[row] ?? 1), undo);
  state.hungry.add(step.queue);
}
