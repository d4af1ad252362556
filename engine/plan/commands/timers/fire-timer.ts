import type { TriggerRun } from '../../../model/task/trigger-run.ts';
import { isKnownRun, startRun } from '../../lifecycle/start-run.ts';
import type { Plan } from '../../state/plan.ts';
import { dropSchedule, setCron } from '../../timers/set-timers.ts';
import type { TimerRef } from '../../timers/timer-heap.ts';
import type { Facts } from '../loaded-facts.ts';
import { makesNoRows, visitRun, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

/** A cron or a schedule is due. */
export interface FireTimerCommand {
  kind: 'fireTimer';
  tenantId: TenantId;
  timer: Omit<TimerRef, 'tenantId'>;
  /** Null for a tick that is passed over, or whose run could not be prepared. */
  run: TriggerRun | null;
  error: string | null;
  /** A cron's next tick. */
  nextUs: number;
}

export const fireTimer: Kind<FireTimerCommand, void> = {
  // Timers are deleted before runs are.
  makesRowsOf: makesNoRows,
  needs: ({ run }, { isUncertain }) => ({ runIds: isUncertain && run !== null ? [run.runId] : [] }),
  startsRuns: ({ run }) => (run === null ? [] : [run]),
  payloads({ run }, visit) {
    if (run !== null) visitRun(run, visit);
  },
  weight: ({ run }) => 1 + (run?.taskIds.length ?? 0),
  split: undefined,
  plan: fire,
};

const dropped = 'dropped: its workflow is paused';

/** Its workflow is paused, and drops what its timers bring. */
function isDroppedByPause({ state }: Plan, { kind, id }: FireTimerCommand['timer']): boolean {
  const timer = kind === 'schedule' ? state.schedules.get(id) : state.crons.get(id);
  const workflow = timer === undefined ? undefined : state.workflows.get(timer.workflowId);
  if (workflow?.paused !== true) return false;
  return kind === 'schedule' ? workflow.pauseRules.dropsSchedules : workflow.pauseRules.dropsCrons;
}

/**
 * A timer's time has come: its run and its next tick in one transaction. The due time is the fence: a timer that was moved,
 * switched off or fired since then does nothing, however often this is tried.
 */
function fire(plan: Plan, command: FireTimerCommand, facts: Facts): void {
  const { state, changes } = plan;
  const { tenantId, timer } = command;
  if (!state.isCurrentTimer({ ...timer, tenantId })) return;
  const isDropped = isDroppedByPause(plan, timer);
  const run = isDropped ? null : command.run;
  const collision =
    run === null || isKnownRun(plan, facts.storedIds, run.runId) ? undefined : startRun(plan, tenantId, run);
  const made = collision === undefined ? run : null;
  const error =
    isDropped && command.run !== null
      ? dropped
      : collision === undefined
        ? command.error
        : `its idempotency key is held by run ${collision.existingRunId}`;
  if (timer.kind === 'schedule') {
    dropSchedule(plan, timer.id);
    changes.scheduleUpdates.push({ id: timer.id, dueUs: timer.dueUs, runId: made?.runId ?? null, error });
    return;
  }
  const cron = state.crons.get(timer.id);
  if (cron === undefined) return;
  const last =
    made === null ? { lastUs: cron.lastUs, lastRunId: cron.lastRunId } : { lastUs: timer.dueUs, lastRunId: made.runId };
  setCron(plan, { ...cron, dueUs: command.nextUs, lastError: error, ...last });
  changes.cronUpdates.push({ id: cron.id, nextUs: command.nextUs, enabled: cron.enabled, lastError: error, ...last });
}
