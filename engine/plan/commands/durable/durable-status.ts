import { dismissSender, invocationRow } from '../../durable/stale-invocation.ts';
import { loadedTask } from '../../durable/find-durable-task.ts';
import { startAgain } from '../../durable/restore-task.ts';
import { retellResults } from '../../durable/retell-results.ts';
import { tell } from '../../durable/tell-results-in-order.ts';
import type { Plan } from '../../state/plan.ts';
import { hasNoPayloads, makesNoRows, startsNoRuns, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

/** What a worker's invocations wait for. Changes memory alone. */
export interface DurableStatusCommand {
  kind: 'durableStatus';
  tenantId: TenantId;
  workerId: string;
  tasks: readonly { taskId: string; invocation: number; nodes: readonly { branch: number; node: number }[] }[];
}

export const durableStatus: Kind<DurableStatusCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: ({ tasks }) => ({ logsOf: tasks.map(({ taskId }) => taskId) }),
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: ({ tasks }) => Math.max(1, tasks.length),
  split: undefined,
  plan: hearStatus,
};

/**
 * A worker's status may come in several messages, so one that is not named may be named in the next: only those that are go on
 * being told. One that waits for nothing need not be told of anything before it asks or waits.
 */
function hearStatus(plan: Plan, command: DurableStatusCommand): void {
  const { tenantId, workerId } = command;
  for (const { taskId, invocation, nodes } of command.tasks) {
    const row = invocationRow(plan, { tenantId, workerId, taskId, invocation });
    if (row === undefined) {
      dismissSender(plan, { workerId, taskId, invocation });
      continue;
    }
    const task = loadedTask(plan, row);
    if (task.delivery.isLost) {
      startAgain(
        plan,
        task,
        'the engine cannot tell how far this invocation had come; the task starts again from its log',
      );
      continue;
    }
    retellResults(plan, task, nodes);
    task.delivery.unmute(plan.state.undo);
    tell(plan, task);
  }
}
