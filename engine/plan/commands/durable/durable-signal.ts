import { HatchetError } from '../../../base/errors.ts';
import { EntryKind, type DurableCondition } from '../../../model/durable/durable.ts';
import { LiveState } from '../../../model/task/live-state.ts';
import { append } from '../../durable/append-node.ts';
import { durableRow, loadedTask } from '../../durable/find-durable-task.ts';
import type { Plan } from '../../state/plan.ts';
import { hasNoPayloads, makesNoRows, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

/** A wait of an older SDK. Asked again under its key, it is the same wait. */
export interface DurableSignalCommand {
  kind: 'durableSignal';
  tenantId: TenantId;
  taskId: string;
  key: string;
  conditions: readonly DurableCondition[];
}

export const durableSignal: Kind<DurableSignalCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: ({ taskId }) => ({ logsOf: [taskId] }),
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: weighsOne,
  split: undefined,
  plan: signal,
};

function signal(plan: Plan, command: DurableSignalCommand): void {
  const row = durableRow(plan, command);
  if (plan.state.tasks.state[row] !== LiveState.Running)
    throw new HatchetError('UNKNOWN_RUN', `no running task ${command.taskId}`, {
      remedy: 'Call this from inside a task that is still running.',
    });
  const task = loadedTask(plan, row);
  const { key, conditions } = command;
  if (!task.log.signals.has(key))
    append(plan, task, {
      kind: EntryKind.Signal,
      fingerprint: key,
      asked: { kind: 'signal', key, conditions },
      childRunId: null,
    });
}
