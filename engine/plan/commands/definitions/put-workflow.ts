import type { WorkflowDefinition } from '../../../model/definition.ts';
import { waitingPause } from '../../../model/pause-rules.ts';
import type { CronFields, CronRow } from '../../../model/stored-rows.ts';
import { setFilter } from '../../state/filters.ts';
import type { Plan } from '../../state/plan.ts';
import { dropCron, setCron } from '../../timers/set-timers.ts';
import { needsNothing, startsNoRuns, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';
import { changeWorkflow } from './change-workflow.ts';

export interface PutWorkflowCommand {
  kind: 'putWorkflow';
  tenantId: TenantId;
  definition: WorkflowDefinition;
  /** Of everything that makes a version. */
  checksum: string;
  /** Used when the name is new. */
  workflowId: string;
  /** Used when the checksum is new. */
  versionId: string;
  /** The crons that it declares, with their first ticks: they take the place of those that an older version declared. */
  crons: readonly CronFields[];
  /** For the filters that come with a new workflow. */
  filterIds: readonly string[];
}
export interface PutWorkflowReply {
  workflowId: string;
  versionId: string;
}

export const putWorkflow: Kind<PutWorkflowCommand, PutWorkflowReply> = {
  makesRowsOf: ({ tenantId }) => tenantId,
  needs: needsNothing,
  startsRuns: startsNoRuns,
  payloads({ crons }, visit) {
    for (const { input, metadata } of crons) {
      visit(input);
      visit(metadata);
    }
  },
  weight: ({ crons, filterIds }) => 2 + crons.length + filterIds.length,
  split: undefined,
  plan: put,
};

/** An unchanged definition keeps its version; any change makes the next one. Runs in flight stay on theirs. One that was deleted is new, but for its id. */
function put(plan: Plan, command: PutWorkflowCommand): PutWorkflowReply {
  const { state, changes } = plan;
  const { tenantId, definition } = command;
  const latest = state.latestVersion(tenantId, definition.name);
  if (latest?.checksum === command.checksum) return { workflowId: latest.workflowId, versionId: latest.versionId };

  const deleted = state.latest.deleted(tenantId, definition.name);
  const before = latest ?? deleted;
  const workflowId = before?.workflowId ?? command.workflowId;
  const ordinal = (before?.ordinal ?? 0) + 1;
  if (before === undefined) changes.workflows.push({ id: workflowId, tenantId, name: definition.name });
  if (deleted !== undefined)
    changeWorkflow(plan, state.workflowState(workflowId), { paused: false, pauseRules: waitingPause, deleted: false });
  changes.versions.push({
    id: command.versionId,
    workflowId,
    tenantId,
    ordinal,
    checksum: command.checksum,
    definition: JSON.stringify(definition),
  });
  if (latest === undefined) {
    for (const [index, { scope, expression, payload }] of definition.filters.entries())
      setFilter(plan, {
        id: command.filterIds[index] ?? '',
        tenantId,
        workflowId,
        scope,
        expression,
        payload,
        isDeclared: true,
      });
  }
  replaceDeclaredCrons(plan, workflowId, command);
  state.addVersion(
    {
      tenantId,
      workflowId,
      versionId: command.versionId,
      checksum: command.checksum,
      ordinal,
      definition,
    },
    state.undo,
  );
  return { workflowId, versionId: command.versionId };
}

/** A version's crons are those that it declares; a cron that stays goes on where it is. Those made by the API are left alone. */
function replaceDeclaredCrons(plan: Plan, workflowId: string, { tenantId, crons }: PutWorkflowCommand): void {
  const { state, changes } = plan;
  const before = [...state.crons.values()].filter((cron) => cron.workflowId === workflowId);
  for (const cron of before) {
    if (!cron.isDeclared) continue;
    dropCron(plan, cron.id);
    changes.cronDeletes.push(cron.id);
  }
  for (const row of crons) {
    if (before.some((cron) => !cron.isDeclared && cron.name === row.name)) continue;
    const old = before.find((each) => each.isDeclared && each.name === row.name);
    const cron: CronRow = {
      ...row,
      tenantId,
      workflowId,
      enabled: old?.enabled ?? row.enabled,
      lastUs: old?.lastUs ?? null,
      lastRunId: old?.lastRunId ?? null,
    };
    const { id, name, expression, zone, catchUp, enabled, isDeclared, priority, nextUs, lastUs, lastRunId } = cron;
    setCron(plan, {
      kind: 'cron',
      id,
      tenantId,
      workflowId,
      dueUs: nextUs,
      name,
      expression,
      zone,
      catchUp,
      enabled,
      isDeclared,
      priority,
      lastUs,
      lastRunId,
      lastError: null,
    });
    changes.crons.push(cron);
  }
}
