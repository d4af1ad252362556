import { HatchetError } from '../../../base/errors.ts';
import type { CronFields } from '../../../model/stored-rows.ts';
import type { Plan } from '../../state/plan.ts';
import { checkWorkflow, setCron } from '../../timers/set-timers.ts';
import { needsNothing, startsNoRuns, weighsOne, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

export interface PutCronCommand {
  kind: 'putCron';
  tenantId: TenantId;
  cron: CronFields;
}

export const putCron: Kind<PutCronCommand, void> = {
  makesRowsOf: ({ tenantId }) => tenantId,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads({ cron }, visit) {
    visit(cron.input);
    visit(cron.metadata);
  },
  weight: weighsOne,
  split: undefined,
  plan: put,
};

function put(plan: Plan, command: PutCronCommand): void {
  const { tenantId, cron } = command;
  const { state } = plan;
  if (state.crons.has(cron.id)) return;
  checkWorkflow(plan, tenantId, cron.workflowId);
  const taken = [...state.crons.values()].find(
    (each) => each.workflowId === cron.workflowId && each.name === cron.name && each.id !== cron.id,
  );
  if (taken !== undefined)
    throw new HatchetError('INVALID_ARGUMENT', `the workflow has a cron named ${JSON.stringify(cron.name)} already`, {
      remedy: 'Choose another name, or delete the old one.',
    });
  setCron(plan, {
    kind: 'cron',
    id: cron.id,
    tenantId,
    workflowId: cron.workflowId,
    dueUs: cron.nextUs,
    name: cron.name,
    expression: cron.expression,
    zone: cron.zone,
    catchUp: cron.catchUp,
    enabled: cron.enabled,
    isDeclared: cron.isDeclared,
    priority: cron.priority,
    lastUs: null,
    lastRunId: null,
    lastError: null,
  });
  plan.changes.crons.push({ ...cron, tenantId });
}
