import { LiveFlag } from '../../../model/task/live-state.ts';
import { runningRow, type AttemptRef } from '../../lifecycle/fence-late-reports.ts';
import { interrupt } from '../../lifecycle/interrupt-attempt.ts';
import { noteBlocked, stayingWith } from '../../queue/blocked-worker.ts';
import { hasFlag, setFlag, type Plan } from '../../state/plan.ts';
import { findOwnWorker } from '../workers/own-worker.ts';
import { hasNoPayloads, makesNoRows, needsNothing, startsNoRuns, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

/** Sent 5 s ago, on a stream that is open, and the worker has said nothing of them. */
export interface UnansweredCommand {
  kind: 'unanswered';
  tenantId: TenantId;
  workerId: string;
  attempts: readonly (AttemptRef & { invocation: number | null })[];
}

export const unanswered: Kind<UnansweredCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: ({ attempts }) => Math.max(1, attempts.length),
  split: undefined,
  plan: takeElsewhere,
};

/** What the worker has not started goes elsewhere after it was told, and nothing new comes to it before it has answered. */
function takeElsewhere(plan: Plan, command: UnansweredCommand): void {
  const { state } = plan;
  const worker = findOwnWorker(plan, command);
  // Nothing can be told to one that is away: it is watched for its return.
  if (worker === undefined || worker.awaySinceUs > 0) return;
  const staying = stayingWith(plan, worker);
  for (const ref of command.attempts) {
    const row = runningRow(plan, { ...ref, tenantId: command.tenantId });
    if (row === undefined || state.workerOf(row) !== worker || hasFlag(plan, row, LiveFlag.Started)) continue;
    if (ref.invocation !== null && ref.invocation !== state.tasks.invocation[row]) continue;
    noteBlocked(plan, worker);
    if (staying(row)) continue;
    interrupt(plan, row);
    setFlag(plan, row, LiveFlag.Unanswered);
  }
}
