import { HatchetError } from '../errors.ts';
import { LiveFlag, LiveState } from '../model/live-state.ts';
import type { RefreshTimeoutCommand, RefreshTimeoutReply, ReleaseSlotCommand } from './command.ts';
import { hasFlag, journal, setFlag, touch, type Plan } from './plan.ts';

export function planRefreshTimeout(plan: Plan, command: RefreshTimeoutCommand): RefreshTimeoutReply {
  const { state } = plan;
  const row = runningTask(plan, command.tenantId, command.taskId);
  const timeoutAtUs = (state.tasks.dueUs[row] ?? plan.nowUs) + command.incrementMs * 1000;
  state.deadlines.set(row, timeoutAtUs, state.undo);
  touch(plan, row);
  journal(plan, row, 'E');
  return { timeoutAtUs };
}

export function planReleaseSlot(plan: Plan, command: ReleaseSlotCommand): void {
  const { state } = plan;
  const row = runningTask(plan, command.tenantId, command.taskId);
  if (hasFlag(plan, row, LiveFlag.SlotReleased)) return;
  const worker = state.workerOf(row);
  worker?.vacate(state.stepOf(row).slots, state.undo);
  if (worker !== undefined) state.roomy.add(worker);
  setFlag(plan, row, LiveFlag.SlotReleased);
  journal(plan, row, 'L');
}

function runningTask(plan: Plan, tenantId: string, taskId: string): number {
  const { state } = plan;
  const row = state.tasks.find(taskId);
  if (row < 0 || state.tasks.state[row] !== LiveState.Running || state.stepOf(row).version.tenantId !== tenantId) {
    throw new HatchetError('UNKNOWN_RUN', `no running task ${taskId}`, { remedy: 'Call this from inside a task that is still running.' });
  }
  return row;
}
