import type { Caller } from '../../edge/access/caller.ts';
import type { CallFacts } from '../../edge/access/gate.ts';
import { reports } from '../../edge/access/rule.ts';
import type { BatchActionEvent } from '../../../proto/gen/hatchet/contract/dispatcher.ts';
import { CommandKind } from '../../../proto/gen/hatchet/session/v1/session.ts';
import { reportBatch } from '../requests/batch-report-request.ts';
import type { AttemptReportDeps } from './attempt-reports.ts';
import type { Refuse } from './refusals.ts';

const batchFacts: CallFacts = { rule: reports, action: '/Dispatcher/SendBatchActionEvent', address: () => '' };

/** Each report as by the contract's call: the members of a batch are known by the batch's id. */
export async function reportBatches(
  deps: AttemptReportDeps,
  batches: readonly BatchActionEvent[],
  { caller, refuse }: { caller: Caller; refuse: Refuse },
): Promise<void> {
  const refuseOne = (error: unknown, index: number): void =>
    refuse(error, { kind: CommandKind.COMMAND_KIND_BATCH, index });
  try {
    deps.gate.admit(caller.identity, batchFacts);
  } catch (error) {
    for (const index of batches.keys()) refuseOne(error, index);
    return;
  }
  await Promise.all(
    batches.map(async (event, index) => {
      try {
        await reportBatch(deps, event, caller.tenantId);
      } catch (error) {
        refuseOne(error, index);
      }
    }),
  );
}
