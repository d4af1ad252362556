import { HatchetError } from '../../base/errors.ts';
import { LiveFlag, LiveState } from '../../model/live-state.ts';
import type { RefreshTimeoutCommand, RefreshTimeoutReply, ReleaseSlotCommand } from './command.ts';
import { hasFlag, journal, setFlag, touch, type Plan } from '../state/plan.ts';
import { hear } from '../queue/silent-worker.ts';

export function planRefreshTimeout(plan: Plan, command: RefreshTimeoutCommand): RefreshTimeoutReply {
  const { state } = plan;
  const row = runningTask(plan, command.tenantId, command.taskId);
  const timeoutAtUs = (state.tasks.dueUs[row] ?? plan.nowUs) + command.incrementMs * 1000;
  for (const member of togetherWith(plan, row)) {
    state.deadlines.set(member, timeoutAtUs, state.undo);
    touch(plan, member);
    journal(plan, member, 'E');
  }
  return { timeoutAtUs };
}

export function planReleaseSlot(plan: Plan, command: ReleaseSlotCommand): void {
  const { state } = plan;
  const row = runningTask(plan, command.tenantId, command.taskId);
  if (hasFlag(plan, row, LiveFlag.SlotReleased)) return;
  const worker = state.workerOf(row);
  worker?.vacate(state.stepOf(row).slots, state.undo);
  if (worker !== undefined) state.noteRoom(worker);
  for (const member of togetherWith(plan, row)) {
    setFlag(plan, member, LiveFlag.SlotReleased);
    journal(plan, member, 'L');
  }
}

/** Its worker has just said that it has it: its execution timeout begins now. */
export function beginTimeout(plan: Plan, row: number): void {
  const { state, nowUs } = plan;
  state.deadlines.set(row, nowUs + state.stepOf(row).definition.executionTimeoutMs * 1000, state.undo);
  touch(plan, row);
}

/** Members of a batch are one call: what is asked for one of them holds for those that run with it. */
export function togetherWith({ state }: Plan, row: number): number[] {
  const batch = state.batches.ofRow.get(row);
  return batch === undefined
    ? [row]
    : [...batch.rows].filter((member) => state.tasks.state[member] === LiveState.Running);
}

function runningTask(plan: Plan, tenantId: string, taskId: string): number {
  const { state } = plan;
  const row = state.tasks.find(taskId);
  if (row < 0 || state.tasks.state[row] !== LiveState.Running || state.stepOf(row).version.tenantId !== tenantId) {
    throw new HatchetError('UNKNOWN_RUN', `no running task ${taskId}`, {
      remedy: 'Call this from inside a task that is still running.',
    });
  }
  hear(plan, state.workerOf(row));
  return row;
}
