import type { Plan } from '../../state/plan.ts';
import { ownCron, setCron } from '../../timers/set-timers.ts';
import { hasNoPayloads, makesNoRows, needsNothing, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

export interface SetCronEnabledCommand {
  kind: 'setCronEnabled';
  tenantId: TenantId;
  cronId: string;
  enabled: boolean;
  /** The first tick from now on. */
  nextUs: number;
}

export const setCronEnabled: Kind<SetCronEnabledCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: weighsOne,
  split: undefined,
  plan: setEnabled,
};

function setEnabled(plan: Plan, command: SetCronEnabledCommand): void {
  const cron = ownCron(plan, command.tenantId, command.cronId);
  setCron(plan, { ...cron, enabled: command.enabled, dueUs: command.nextUs, lastError: null });
  plan.changes.cronUpdates.push({
    id: cron.id,
    nextUs: command.nextUs,
    enabled: command.enabled,
    lastError: null,
    lastUs: cron.lastUs,
    lastRunId: cron.lastRunId,
  });
}
