import type { DurableSender } from '../../../model/durable/durable-operation.ts';
import { EntryKind } from '../../../model/durable/durable.ts';
import { RunStatus } from '../../../model/task/status.ts';
import { dismissSender, invocationRow } from '../../durable/stale-invocation.ts';
import { loadedTask } from '../../durable/find-durable-task.ts';
import { satisfy } from '../../durable/satisfy-node.ts';
import { makesNoRows, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';

/** A memo's function has returned. */
export interface DurableMemoCommand extends DurableSender {
  kind: 'durableMemo';
  branch: number;
  node: number;
  /** JSON. */
  payload: string;
}

export const durableMemo: Kind<DurableMemoCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: ({ taskId }) => ({ logsOf: [taskId] }),
  startsRuns: startsNoRuns,
  payloads: ({ payload }, visit) => visit(payload),
  weight: weighsOne,
  split: undefined,
  plan(plan, command) {
    const row = invocationRow(plan, command);
    if (row === undefined) return dismissSender(plan, command);
    const task = loadedTask(plan, row);
    const node = task.log.find(command.branch, command.node);
    if (node === undefined || node.kind !== EntryKind.Memo || node.result !== null) return;
    satisfy(plan, task, node, {
      status: RunStatus.Completed,
      payload: command.payload,
      generation: null,
      told: { output: command.payload, error: null },
    });
  },
};
