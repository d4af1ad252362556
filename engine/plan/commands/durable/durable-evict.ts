import { restore } from '../../durable/restore-task.ts';
import type { DurableSender } from '../../../model/durable/durable-operation.ts';
import { loadedTask } from '../../durable/find-durable-task.ts';
import { invocationRow } from '../../durable/stale-invocation.ts';
import { evict, mustGoOn } from '../../durable/evict-task.ts';
import { hasNoPayloads, makesNoRows, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';

/** The worker lets go of an invocation that waits. */
export interface DurableEvictCommand extends DurableSender {
  kind: 'durableEvict';
  reason: string;
}

export const durableEvict: Kind<DurableEvictCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: ({ taskId }) => ({ logsOf: [taskId] }),
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: weighsOne,
  split: undefined,
  plan(plan, command) {
    const row = invocationRow(plan, command);
    if (row === undefined) return; // gone already: its worker is answered all the same
    const task = loadedTask(plan, row);
    const goOn = mustGoOn(plan, task);
    evict(plan, task, command.reason);
    if (goOn) restore(plan, row);
  },
};
