import { HatchetError } from '../../../base/errors.ts';
import { durableRow, loadedTask } from '../../durable/find-durable-task.ts';
import { conditionsOf } from '../../durable/durable-log.ts';
import { meetCondition } from '../../durable/satisfy-node.ts';
import type { Plan } from '../../state/plan.ts';
import { hasNoPayloads, makesNoRows, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

/** Ends a sleep early. */
export interface DurableSkipCommand {
  kind: 'durableSkip';
  tenantId: TenantId;
  taskId: string;
  branch: number;
  node: number;
}

export const durableSkip: Kind<DurableSkipCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: ({ taskId }) => ({ logsOf: [taskId] }),
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: weighsOne,
  split: undefined,
  plan: skip,
};

function skip(plan: Plan, command: DurableSkipCommand): void {
  const task = loadedTask(plan, durableRow(plan, command));
  const node = task.log.find(command.branch, command.node);
  const sleeps =
    node?.result === null
      ? [...conditionsOf(node).entries()].filter(([, condition]) => condition.kind === 'sleep')
      : [];
  if (node === undefined || sleeps.length === 0)
    throw new HatchetError('INVALID_ARGUMENT', `node ${command.node} of task ${command.taskId} is no open sleep`, {
      remedy: '`hatchet runs get <id>` shows the log.',
    });
  for (const [index, condition] of sleeps)
    if (condition.kind === 'sleep')
      meetCondition(plan, task, { node, index, data: JSON.stringify({ sleep_duration: condition.duration }) });
}
