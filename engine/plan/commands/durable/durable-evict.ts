import type { DurableSender } from '../../../model/durable/durable-ask.ts';
import { invocationRow, logOf } from '../../durable/durable-invocation.ts';
import { evict, mustGoOn, restore } from '../../durable/durable-restore.ts';
import { hasNoPayloads, makesNoRows, startsNoRuns, weighsOne, type Kind } from '../kind.ts';

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
  plan(plan, command) {
    const row = invocationRow(plan, command);
    if (row < 0) return; // gone already: its worker is answered all the same
    const log = logOf(plan, row);
    const goOn = log.position < 0 || mustGoOn(plan, row, log);
    evict(plan, row, log, command.reason);
    if (goOn) restore(plan, row);
  },
};
